"""Release IDs, one a line: for other programs to build a playlist from."""

from __future__ import annotations

from collections.abc import Iterable

from freshwax.reports.columns import Shown
from freshwax.reports.escape import visible


def render(items: Iterable[Shown]) -> str:
    """Return each release's ID on a line of its own."""
    return "".join(visible(item.release.ref.id) + "\n" for item in items)
