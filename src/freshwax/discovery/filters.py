"""Title filters: they read words and brackets, not substrings.

"Alive", "Olive Tree", "Deliverance" and "Demons" hold no filter word at all; "Long Live" holds one where it is an
ordinary word, not a mark.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from freshwax.discovery.editions import take_apart, words

# Words that titles also use in their plain sense: outside brackets they count only before one of these.
_PLAIN_SENSE = {
    "live": frozenset("at in from on sessions session version album recordings".split()),
    "mix": frozenset(),
    "edit": frozenset(),
    "clean": frozenset({"version"}),
    "explicit": frozenset({"version"}),
}


def hiding_word(title: str, excluded: Iterable[str]) -> str | None:
    """Return the first of the excluded words or phrases that marks this title, or None.

    A word counts as a whole (with a plural s) in brackets and after a dash; elsewhere too, unless it has a plain sense.
    """
    parts = take_apart(title)
    base, segments = words(parts.base), [words(segment) for segment in parts.segments]
    for phrase in excluded:
        wanted = words(phrase)
        if not wanted:
            continue
        if any(_holds(segment, wanted) for segment in segments) or _marks_base(base, wanted):
            return phrase
    return None


def _holds(found: list[str], wanted: list[str]) -> bool:
    return any(_same(found[at : at + len(wanted)], wanted) for at in range(len(found) - len(wanted) + 1))


def _same(found: list[str], wanted: list[str]) -> bool:
    return found == wanted or (found[:-1] == wanted[:-1] and found[-1] == wanted[-1] + "s")


def _marks_base(base: list[str], wanted: list[str]) -> bool:
    if len(wanted) > 1 or wanted[0] not in _PLAIN_SENSE:
        return _holds(base, wanted)
    followers = _PLAIN_SENSE[wanted[0]]
    return any(word == wanted[0] and after in followers for word, after in pairwise(base))
