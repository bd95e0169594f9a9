"""What a run says of itself beside its counts."""

from __future__ import annotations

from freshwax.reports.words import count

NOBODY_LEFT = "Nobody is left to check: the service has none of these artists any more"


def sentences(*parts: str | None) -> str | None:
    """Return what there is of some sentences as one text, without the last full stop."""
    return ". ".join(part for part in parts if part) or None


def of_the_future(requests: int) -> str | None:
    """Say that requests stand in the ledger with instants to come, where some do: they count from now on."""
    if not requests:
        return None
    return f"The ledger had {count(requests, 'request')} of a time in the future: look at this machine's clock"


def denied(answered: int, missing: int) -> str | None:
    """Say that a service answered 404 for most artists, where it did."""
    if missing <= max(answered, 1):
        return None
    return (
        f"The service answered for {answered:,} of {count(answered + missing, 'artist')} and knew none of the others: "
        "that is taken for a failure of its own, and nobody counts as gone for it"
    )
