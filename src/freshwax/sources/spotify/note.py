"""What the listing walk notes down after a check: what it expects to see at the next one."""

from __future__ import annotations

import msgspec

from freshwax.model import Group

VERSION = 1


class Window(msgspec.Struct, frozen=True, omit_defaults=True):
    """The one page that a probe asks for, and what should stand on it.

    ``ids`` are the expected release IDs in order; None where a place is not known yet. ``etag`` belongs to exactly
    this page.
    """

    offset: int = 0
    ids: tuple[str | None, ...] = ()
    etag: str | None = None


class Note(msgspec.Struct, frozen=True, omit_defaults=True):
    """The state of an artist's listing as of the last check.

    ``pair``: albums and singles are probed together. ``counts``: entries of each group, as the source claims.
    ``windows``: by the groups asked together (``album,single``, ``compilation``). ``probes``: checks since the
    album head was last read. ``pair_total``: the claimed total of both lists, noted by a first check that was cut
    short before it saw the singles.
    """

    market: str
    page_size: int
    pair: bool = True
    counts: dict[Group, int] = {}
    windows: dict[str, Window] = {}
    probes: int = 0
    pair_total: int | None = None
    version: int = VERSION


def read_note(text: str | None, market: str, page_size: int) -> Note | None:
    """Return the note, or None where there is none that fits this market and page size."""
    if text is None:
        return None
    try:
        note = msgspec.json.decode(text, type=Note)
    except msgspec.MsgspecError:
        return None
    fits = note.version == VERSION and note.market == market
    if not fits:
        return None
    # Counts outlive a changed page size; the windows are other pages then.
    return note if note.page_size == page_size else msgspec.structs.replace(note, windows={}, page_size=page_size)


def write_note(note: Note) -> str:
    """Return the note as text."""
    return msgspec.json.encode(note).decode()
