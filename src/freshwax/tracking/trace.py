"""What a check came to, for those who look closely (``-vv``): a line for it, and one for each decision."""

from __future__ import annotations

import logging

from freshwax.model import CheckResult, Decision
from freshwax.reports.escape import brief, visible
from freshwax.reports.words import count

_log = logging.getLogger(__name__)


def trace(result: CheckResult, name: str) -> None:
    """Log a committed check of an artist known as ``name``, and its decisions.

    Nothing is put into words where nobody listens.
    """
    if not _log.isEnabledFor(logging.DEBUG):
        return
    known = {"run_id": result.run_id}
    who = f"{brief(result.name or name)} ({visible(result.artist.id)})"
    what = "checked" if result.regular else "read in depth"
    cut = ", cut short by a pause" if result.paused else ""
    _log.debug("%s: %s, %s%s", who, what, count(len(result.decisions), "decision"), cut, extra=known)
    for one in result.decisions:
        _log.debug("%s: %s", who, _said(one), extra=known)


def _said(decision: Decision) -> str:
    """Say what was decided of a release, and as whose twin or edition."""
    release = decision.release
    verdict = decision.kind or f"not told: {decision.silence}"
    of = f", of {visible(decision.of.id)}" if decision.of else ""
    date = visible(release.date.value) if release.date else "no date"
    return f"{brief(release.title)!r} ({visible(release.ref.id)}, {visible(release.type)}, {date}): {verdict}{of}"
