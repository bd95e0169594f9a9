"""How deep an artist's listing was ever read, and which entries lie deeper."""

from __future__ import annotations

from collections.abc import Collection

from freshwax.model import GroupView, Mark


def beyond_horizon(view: GroupView, mark: Mark | None, known: Collection[str]) -> frozenset[str]:
    """Return the IDs of a view's unknown releases that lie deeper than the listing was ever read.

    What was read before stood at the positions below ``mark.horizon``. Since then ``view.removed`` of it went, and
    each unknown release further up pushed the rest down by one. A view that reached the end shows how many of what was
    read are still there: where more went than anybody noticed, what lies below has only moved up. Nothing is beyond the
    horizon of a list that was read to its end, and a list that was never read (no mark) has none: its first check
    decides by date alone.
    """
    if mark is None or mark.read_to_end_at is not None:
        return frozenset()
    beyond = set()
    arrived = 0
    entries = sorted(view.listed, key=lambda one: one.position)
    limit = mark.horizon - view.removed
    if view.ended and entries:
        there = entries[0].position + sum(one.release.ref.id in known for one in entries)
        pushed = min(there, limit)
    else:
        pushed = limit
    for listed in entries:
        if listed.release.ref.id in known:
            continue
        if listed.position < max(limit, pushed + arrived):
            arrived += 1
        else:
            beyond.add(listed.release.ref.id)
    return frozenset(beyond)


def new_horizon(view: GroupView, mark: Mark | None, arrived: int) -> int:
    """Return how many entries from the top are read now, ``arrived`` of them new within the old horizon."""
    if mark is None:
        return view.depth
    return max(view.depth, mark.horizon - view.removed + arrived, 0)
