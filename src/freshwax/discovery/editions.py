"""Which releases are the same: the key of a release, its edition marks, and what follows from them.

Two releases with one key are the same music. With the same edition marks and dates within ``TWIN_DAYS`` of the
first one seen they are twins (explicit and clean, market doubles, a re-listing under a new ID): one release. So are
they within ``RELISTED_DAYS`` where the first one is gone: its date was corrected with its ID. With other edition marks
(deluxe, remaster, anniversary) one is an edition of the other.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from freshwax.model import Decision, Known, Ref, Release, ReleaseDate, Silence

TWIN_DAYS = 3
RELISTED_DAYS = 6  # less than a week: what comes every week under one title are many releases
LONG = 1000  # characters

_OF_ANOTHER = frozenset({Silence.TWIN, Silence.RELISTED})

_EXPLICIT = frozenset({"explicit", "clean", "edited", "uncensored", "censored", "amended"})
_EDITION = frozenset(
    "deluxe remaster remastered remasterd remasters anniversary expanded bonus edition reissue reissued "
    "collector collectors collectible limited special platinum ultimate complete legacy".split()
)
# Marks that make another recording: they stay in the key, also where they share brackets with an edition mark.
VERSION = frozenset(
    "live acoustic remix remixes remixed mix sped slowed instrumental instrumentals rerecorded karaoke unplugged demo "
    "demos acapella orchestral symphonic extended stripped reimagined nightcore dub".split()
)
_FILLER = frozenset(
    "version versions album the a an of with and tracks track disc super digital vinyl cd lp ep".split()
)
_SAME = {"remastered": "remaster", "remasterd": "remaster", "remasters": "remaster", "reissued": "reissue"}

_SEGMENT = re.compile(r"[(\[{]([^()\[\]{}]*)[)\]}]|\s[-\u2010-\u2015]\s(?=\S)")
_FEATURED = re.compile(r"^(?:feat|ft|featuring)\b\.?", re.IGNORECASE)
_FEATURED_OPEN = re.compile(r"\s(?:feat\.|ft\.|featuring\s|feat\s).*", re.IGNORECASE | re.DOTALL)
_HYPHENED = re.compile(r"\b(re)-(recorded|mastered|issued|issue|imagined)\b|\bspeed(?= up\b)", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?")


class Parts(NamedTuple):
    """A title taken apart: the words outside brackets and dashes, and the segments inside or after them."""

    base: str
    segments: tuple[str, ...]


class Keys(NamedTuple):
    """``key`` is empty for a release that equals nothing (an empty title); ``marks`` is empty for the plain edition."""

    key: str
    marks: str


def take_apart(title: str) -> Parts:
    """Split a title at its brackets and at dashes that stand between spaces."""
    base: list[str] = []
    segments: list[str] = []
    at, after_dash = 0, False
    for found in _SEGMENT.finditer(title):
        _collect(title[at : found.start()], segments if after_dash else base)
        if found[1] is None:
            after_dash = True
        else:
            _collect(found[1], segments)
        at = found.end()
    _collect(title[at:], segments if after_dash else base)
    return Parts(" ".join(base), tuple(segments))


def _collect(text: str, into: list[str]) -> None:
    if text.strip():
        into.append(text.strip())


def words(text: str) -> list[str]:
    """Return the words of a text, case folded, with re-recorded and its like as one word."""
    joined = _HYPHENED.sub(lambda m: "sped" if m[1] is None else m[1] + m[2], text)
    return [w.casefold().replace("\u2019", "'") for w in _WORD.findall(joined)]


def keys_of(release: Release) -> Keys:
    """Return the key of a release (artists, type, normalised title with version marks) and its edition marks."""
    from hashlib import blake2b  # noqa: PLC0415 -- it loads OpenSSL: 3 ms that reading commands need not spend

    title = nfkc(release.title).strip()
    if not title:
        return Keys("", "")
    base, marks = _normalise(title)
    artists = ",".join(sorted({credit.id for credit in release.artists}))
    identity = f"{release.ref.source}|{artists}|{release.type}|{base}"
    return Keys(blake2b(identity.encode("utf-8", "replace"), digest_size=12).hexdigest(), marks)


def all_keys(known: Known) -> tuple[Keys, ...]:
    """Return the keys of a known release: those under which it was decided, and those that it bears now, if others."""
    first = Keys(known.key, known.marks)
    return (first,) if known.later_keys is None else (first, Keys(*known.later_keys))


def _normalise(title: str) -> tuple[str, str]:
    """Return the normalised title, version marks included, and the edition marks, sorted and joined by spaces."""
    parts = take_apart(title)
    plain = _FEATURED_OPEN.sub("", " " + parts.base).strip()
    kept = [_letters(plain) or plain]  # a title may be nothing but signs
    marks: set[str] = set()
    for segment in parts.segments:
        stays, edition = _read_segment(segment)
        kept.append(_letters(stays))
        marks |= edition
    base = "|".join(part for part in kept if part)
    return base or title, " ".join(sorted(marks))


def _read_segment(segment: str) -> tuple[str, set[str]]:
    """Return what of a segment belongs to the title, and what of it marks an edition."""
    if _FEATURED.match(segment):
        return "", set()
    found = words(_FEATURED_OPEN.sub("", segment))
    told = set(found)
    if told & _EXPLICIT and told <= _EXPLICIT | _FILLER:
        return "", set()
    if not told & _EDITION:
        return " ".join(found), set()
    version = [word for word in found if word in VERSION or word == "up"]
    edition = told - _FILLER - _EXPLICIT - set(version) - {"edition"}
    return " ".join(version), {_SAME.get(word, word) for word in edition} or {"edition"}


def nfkc(text: str) -> str:
    """Normalise; piece by piece where it is longer than titles are: sorting a million accents would take hours."""
    if len(text) <= LONG:
        return unicodedata.normalize("NFKC", text)
    return "".join(unicodedata.normalize("NFKC", text[at : at + LONG]) for at in range(0, len(text), LONG))


def _letters(text: str) -> str:
    """Keep letters, digits and combining marks (vowel signs are letters to their readers), case folded."""
    folded = nfkc(text.casefold())
    return "".join(c for c in folded if unicodedata.category(c)[0] in "LNM")


def days_apart(one: ReleaseDate | None, other: ReleaseDate | None) -> int | None:
    """Return the smallest number of days that two dates can lie apart (0: they may be one day); None: unknown."""
    if one is None or other is None:
        return 0 if one is other else None
    gap = max(
        one.first_day.toordinal() - other.last_day.toordinal(), other.first_day.toordinal() - one.last_day.toordinal()
    )
    return max(gap, 0)


def are_twins(one: Release, one_keys: Keys, other: Release, other_keys: Keys) -> bool:
    """Tell whether two releases are one release under two IDs."""
    return _same(one, one_keys, other, other_keys, TWIN_DAYS)


def may_replace(one: Release, one_keys: Keys, gone: Release, gone_keys: Keys) -> bool:
    """Tell whether a release may be one that is gone, under a new ID and with another date."""
    return _same(one, one_keys, gone, gone_keys, RELISTED_DAYS)


def _same(one: Release, one_keys: Keys, other: Release, other_keys: Keys, days: int) -> bool:
    if not one_keys.key or one_keys != other_keys:
        return False
    gap = days_apart(one.date, other.date)
    return gap is not None and gap <= days


def is_edition(one: Keys, other: Keys) -> bool:
    """Tell whether two releases are editions of one another."""
    return bool(one.key) and one.key == other.key and one.marks != other.marks


def first_of(one: Known | Decision) -> Ref:
    """Return the release that one is the same as; itself, where it is the first."""
    return one.of if one.silence in _OF_ANOTHER and one.of is not None else one.release.ref
