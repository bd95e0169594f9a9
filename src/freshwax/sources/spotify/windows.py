"""Where the boundary probe looks, and what it expects to see there."""

from __future__ import annotations

from collections.abc import Sequence

from freshwax.sources.spotify.note import Window


def name_of(groups: Sequence[str]) -> str:
    """Return the name under which a note keeps the window of groups that are asked for together."""
    return ",".join(groups)


def window_offset(albums: int, total: int | None, page_size: int) -> int:
    """Return where the window begins: one before the first single, or at the top where one page shows both heads."""
    fits = total is not None and total <= page_size
    return albums - 1 if albums >= page_size and not fits else 0


def expected_singles(window: Window | None, albums: int | None) -> tuple[str | None, ...]:
    """Return the expected top of the singles: what stood in the window behind the albums."""
    if window is None or albums is None:
        return ()
    return window.ids[max(albums - window.offset, 0) :]


def merged(now: Sequence[str], before: Sequence[str | None]) -> list[str | None]:
    """Return the top of a list: what is seen of it, then what stood below the last of that before."""
    last = max((at for at, one in enumerate(before) if one in now), default=len(before))
    return [*now, *before[last + 1 :]]
