"""One artist's check, from the question to the commit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from freshwax.discovery.classify import Moment, Reading, decide, undecided
from freshwax.discovery.editions import keys_of
from freshwax.errors import CheckError
from freshwax.model import Announced, Artist, ArtistState, CheckResult, Mark, Observation, Ref, Release
from freshwax.store.base import Check, Store, Transaction

NOT_FOUND = "not_found"
BELIEVED = 2  # 404s in a row before the next one is taken at its word ...
SETTLED = timedelta(days=1)  # ... if the first of them came so long before


def commit(
    store: Store,
    seen: Observation,
    moment: Moment,
    channels: Collection[str],
    reading: Reading = Reading.CHECK,
    *,
    ahead: bool = False,
) -> CheckResult | None:
    """Decide what was seen against the state inside the transaction, and write it all, or nothing.

    Other checks have committed since this one began to read, perhaps of another artist on the same release. ``ahead``:
    the artist keeps its turn. Returns None for an artist that was removed in the meantime.
    """
    with store.write() as tx:
        follow = tx.follow(seen.artist)
        if follow.artist.state is ArtistState.REMOVED:
            return None
        announced = announced_among(tx, (listed.release for listed in undecided(follow, seen)))
        result = decide(follow, seen, announced, moment, reading)
        marks = tuple(_with_turn(mark, follow.marks.get(mark.group), result, ahead=ahead) for mark in result.marks)
        result = replace(result, marks=marks)
        tx.save(result, channels)
    return result


def _with_turn(mark: Mark, before: Mark | None, result: CheckResult, *, ahead: bool) -> Mark:
    """Return a mark with the turn that it had before, unless this check is the artist's turn."""
    checked = result.regular and mark.checked_at == result.at
    if before is None or (checked and not ahead):
        return mark
    return replace(mark, turn_at=before.turn_at or (before.checked_at if checked else None))


def announced_among(tx: Transaction, releases: Iterable[Release]) -> Sequence[Announced]:
    """Return what was announced, through whomever, of some releases and of those with the same keys."""
    wanted = {release.ref: keys_of(release).key for release in releases}
    return tx.announced(wanted.keys(), {key for key in wanted.values() if key}) if wanted else ()


def record_failure(store: Store, artist: Artist, failure: CheckError, moment: Moment) -> None:
    """Write down a failed check."""
    store.save_failure(Check(artist.ref, moment.run_id, moment.now, failure.code, message=str(failure)))


def give_up(store: Store, missing: Collection[Artist], answered: int, now: datetime) -> dict[Ref, str]:
    """Of those that a run had a 404 for (as they were before), let count as gone who had three in a row, the first a
    day ago or more. Nobody, where the run was ``answered`` for fewer artists than that. Returns who is gone, by name.
    """
    gone: dict[Ref, str] = {}
    for artist in missing if len(missing) <= answered else ():
        since = store.failing_since(artist.ref)
        third = artist.failure == NOT_FOUND and artist.failures >= BELIEVED
        stored = store.artist(artist.ref)
        if third and since is not None and since <= now - SETTLED and stored and stored.state is ArtistState.ACTIVE:
            store.set_state(artist.ref, ArtistState.GONE)
            gone[artist.ref] = by_name(artist)
    return gone


def by_name(artist: Artist) -> str:
    """Return how to name an artist to a person."""
    return artist.name or artist.ref.id
