"""What a walk has seen of each listing group so far, and whether it explains the counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from msgspec.structs import replace

from freshwax.discovery.horizon import beyond_horizon
from freshwax.errors import CheckError
from freshwax.model import Artist, Follow, Group, GroupView, Known, Listed, Mark, Release
from freshwax.sources.spotify.pages import Page

# Failures of a kind before the next answer is taken at its word. A prefetch, its run and that repeated are soon three.
BELIEVED = {"empty": 2, "incomplete": 4}
PAIR = (Group.ALBUM, Group.SINGLE)


def group_of(release: Release, asked: Sequence[Group]) -> Group:
    """Return the listing group of an entry: the one asked for, or, of albums and singles asked together, by its type.

    The API no longer names the group. What is not a single (albums, but also types unheard of) stands among the albums.
    """
    if len(asked) == 1:
        return asked[0]
    return Group.SINGLE if release.type in ("single", "ep") else Group.ALBUM


def is_single(one: Listed) -> bool:
    """Tell whether an entry stands among the singles, of albums and singles asked together."""
    return group_of(one.release, PAIR) is Group.SINGLE


def credited_name(entries: Iterable[Listed], artist_id: str) -> str | None:
    """Return an artist's name as the credits give it: that costs no request."""
    credited = (credit for one in entries for credit in one.release.artists)
    return next((credit.name for credit in credited if credit.id == artist_id), None)


def recognised(page: Page, follow: Follow) -> Page:
    """Return a page whose releases can be told from others: a known one that lacks a field for that is as it is known.

    Raises ``CheckError`` (``incomplete``) for an unknown one: decided now, it would be new again under its next ID. The
    fifth time in a row it is believed.
    """
    found = []
    for one in page.entries:
        known = follow.known.get(one.release.ref.id) if one.lacks else None
        if one.lacks and known is None and not believed(follow.artist, "incomplete"):
            raise CheckError(f"the list shows an unknown release without its `{one.lacks}`", code="incomplete")
        found.append(one if known is None else Listed(one.position, known.release))
    return replace(page, entries=tuple(found))


def refuse_empty_top(artist: Artist, offset: int) -> None:
    """Raise ``CheckError`` (``empty``) for a list that begins with an empty page, though more follow, until it stays
    so: what the page hides may be news, which would come out later where nothing tells it from old records.
    """
    if not offset and not believed(artist, "empty"):
        raise CheckError("the list begins with an empty page, though more follow", code="empty")


def believed(artist: Artist, code: str) -> bool:
    """Tell whether checks of an artist failed so often for one reason that the next answer is taken at its word."""
    return artist.failure == code and artist.failures >= BELIEVED[code]


@dataclass(slots=True)
class Seen:
    """The entries of one group that a walk has seen, by position in the group's own list.

    ``known``: the IDs decided before; ``expected``: those, in order, that stood at the top last time, as far as noted.
    """

    group: Group
    known: Mapping[str, Known] = field(default_factory=dict)
    expected: Sequence[str | None] = ()
    by_position: dict[int, Release] = field(default_factory=dict)
    covered: set[int] = field(default_factory=set)
    last: str | None = None  # of the page that was read last
    ended: bool = False

    def add(self, entries: Iterable[Listed], shift: int = 0, covers: range = range(0)) -> None:
        """Take entries, and the positions that their page covers, counted from ``shift`` before the group's top.

        A page may hide entries: that leaves a hole in it, but no gap.
        """
        for one in entries:
            self.by_position[one.position - shift] = one.release
            self.covered.add(one.position - shift)
            self.last = one.release.ref.id
        self.covered.update(at - shift for at in covers)

    @property
    def depth(self) -> int:
        """How many positions from the top were seen without a gap."""
        depth = 0
        while depth in self.covered:
            depth += 1
        return depth

    def listed(self) -> tuple[Listed, ...]:
        """Return the entries by position."""
        return tuple(Listed(position, release) for position, release in sorted(self.by_position.items()))

    def top_ids(self, count: int) -> list[str]:
        """Return the IDs of the first entries, as far as they were seen without a gap."""
        return [one.release.ref.id for one in self.listed() if one.position < self.depth][:count]

    def descending(self) -> bool:
        """Tell whether the dates never rise from one entry to the next (as text, which is how the source sorts)."""
        dates = [one.release.date.value for one in self.listed() if one.release.date is not None]
        return all(later >= earlier for later, earlier in pairwise(dates))

    @property
    def removed(self) -> int:
        """How many of the expected entries are gone: missing above one that is still there.

        Below all of them stands what else was known, and the end of the list.
        """
        order = self.top_ids(self.depth)
        here = {release.ref.id for release in self.by_position.values()}
        last = max((at for at, one in enumerate(self.expected) if one in here), default=-1)
        end = max((at for at, one in enumerate(order) if one in self.expected), default=len(order))
        if (self.ended and order) or any(one in self.known for one in order[end + 1 :]):
            last = len(self.expected)
        return sum(one is not None and one not in here for one in self.expected[: max(last, 0)])

    def arrived(self, mark: Mark | None) -> int:
        """Count the unknown entries within what was read before."""
        view = self.view()
        beyond = beyond_horizon(view, mark, self.known)
        ids = {one.release.ref.id for one in view.listed}
        return len([one for one in ids if one not in self.known and one not in beyond])

    def keeps_coming(self, mark: Mark | None) -> bool:
        """Tell whether the last entry of the part read from the top is news, so that more may follow below it.

        An entry below everything that was ever read is unknown by nature: it says nothing about news further down.
        """
        if self.last is None:
            return False
        return self.last not in self.known and self.last not in beyond_horizon(self.view(), mark, self.known)

    def view(self, *, deep_wanted: bool | None = None) -> GroupView:
        """Return what the check saw of the group."""
        return GroupView(
            group=self.group,
            listed=self.listed(),
            answered=True,
            depth=self.depth,
            ended=self.ended,
            removed=self.removed,
            deep_cursor=self.depth if deep_wanted else None,
            deep_wanted=deep_wanted,
        )


def without_depth(view: GroupView, mark: Mark | None, known: Mapping[str, Known]) -> GroupView:
    """Leave out of a view what lies below a gap in it, deeper than was ever read: news may stand in the gap and have
    pushed it down. The deep read, which sees what stands between, decides it.
    """
    beyond = beyond_horizon(view, mark, known)
    listed = tuple(one for one in view.listed if one.position < view.depth or one.release.ref.id not in beyond)
    return replace(view, listed=listed)


def unexplained(seen: Seen, before: int | None, now: int | None, mark: Mark | None) -> bool:
    """Tell whether a group's count grew by more than the walk has found since the last check.

    A source that gives no count now leaves such arrivals to the audit; a count without an earlier one explains nothing.
    """
    if mark is None or seen.ended or now is None:
        return False
    if before is None:
        return True
    return now - before > seen.arrived(mark) - seen.removed
