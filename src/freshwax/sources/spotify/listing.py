"""The listing walk: which pages to ask for, so that a check sees everything new at one request.

A walk is a generator: it yields a ``PageRequest``, receives the ``Page``, and returns an ``Observation``. It knows
nothing of HTTP, so that the same code runs against the network, a replay, or a test's list of pages.

Spotify lists all albums, newest first, then all singles, newest first, ten a page. The **boundary probe** asks for
the page that begins one before the first single::

    albums  a0 a1 a2 ... a11 | s0 s1 s2 ... singles
                       [ a11   s0 s1 ... s8 ]            <- the window

Any new or withdrawn album shifts the window; any new single stands in it. Few albums, and the first page is the
window. A window that is exactly as expected, with the same ``total``, costs one request and nothing else. One that
explains itself (news on top, the rest moved by as many, the count grown by as many) needs no other. Whatever it
does not explain is read: the head of the album list, more pages while unknown releases keep coming, and, where the
count still grew by more than was found, the depth of that group (``deep_wanted``).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import date
from itertools import pairwise
from zlib import crc32

from msgspec.structs import replace

from freshwax.discovery.classify import GRACE
from freshwax.errors import CheckError, Paused
from freshwax.model import Follow, Group, GroupView, Mark, Observation
from freshwax.sources.base import Want
from freshwax.sources.spotify.lists import (
    PAIR,
    Seen,
    believed,
    credited_name,
    group_of,
    is_single,
    recognised,
    refuse_empty_top,
    unexplained,
    without_depth,
)
from freshwax.sources.spotify.note import Note, Window, read_note, write_note
from freshwax.sources.spotify.pages import Page, PageRequest, continued
from freshwax.sources.spotify.shown import Shown
from freshwax.sources.spotify.windows import expected_singles, merged, name_of, window_offset

_Pages = Generator[PageRequest, Page, None]

_MISPLACED = "the list of albums and singles is not in the expected order"


class _Unordered(Exception):
    """Albums and singles of this artist do not stand one after the other."""


def check_walk(follow: Follow, want: Want, page_size: int) -> Generator[PageRequest, Page, Observation]:
    """Look for what changed in the wanted groups.

    Returns the observation; one that a quota cut short holds the groups answered by then and is marked ``paused``.
    Raises ``CheckError`` (``empty``, ``incomplete``, ``bad_data``), and ``Paused`` when no group was answered.
    """
    walk = _Walk(follow, want, page_size)
    paused = False
    try:
        yield from walk.run()
    except Paused:
        if not walk.answered:
            raise
        paused = True
    return walk.observation(paused=paused)


class _Walk:
    """One check in progress: what was expected, and what has been seen."""

    def __init__(self, follow: Follow, want: Want, page_size: int) -> None:
        self.follow = follow
        self.want = want
        self.page_size = page_size
        self.old = read_note(follow.listing, want.market, page_size)
        self.seen: dict[Group, Seen] = {}
        self.answered: dict[Group, GroupView] = {}
        self.counts: dict[Group, int] = dict(self.old.counts) if self.old else {}
        self.windows: dict[str, Window] = dict(self.old.windows) if self.old else {}
        # Each artist begins at its own place in the cycle: else everyone learnt together has its turn together.
        self.probes = self.old.probes if self.old else crc32(follow.artist.ref.id.encode()) % want.head_every
        self.pair = self.old.pair if self.old else True
        self.pair_total = self.old.pair_total if self.old else None
        self.name: str | None = None
        self.at = 0  # where the last page began
        self.shown = Shown(follow)

    # -- the walk ------------------------------------------------------------------------------------------------

    def run(self) -> _Pages:
        """Walk the groups: albums and singles together where both are wanted, every other group by itself."""
        rest = list(self.want.groups)
        if self.pair and set(PAIR) <= set(rest):
            rest = [group for group in rest if group not in PAIR]
            try:
                yield from self._walk_pair()
            except _Unordered:
                self._forget_pair()
                rest = [*PAIR, *rest]
        for group in rest:
            yield from self._walk_one(group)

    def observation(self, *, paused: bool) -> Observation:
        """Return what the walk saw, with the note for the next one."""
        views = tuple(self.shown.complete(view, self._mark(group)) for group, view in self.answered.items())
        note = Note(
            market=self.want.market,
            page_size=self.page_size,
            pair=self.pair,
            counts=self.counts,
            windows=self.shown.without_tags(self.windows, views),
            probes=self.probes,
            pair_total=self.pair_total,
        )
        return Observation(self.follow.artist.ref, views, write_note(note), self.name, paused)

    def _walk_pair(self) -> _Pages:
        window = self.windows.get(name_of(PAIR))
        known_both = all(self._mark(group) for group in PAIR)
        if window is not None and known_both and not self.want.anew:
            yield from self._probe_pair(window)
        elif self._mark(Group.ALBUM) and not self._mark(Group.SINGLE) and self.pair_total and not self.want.anew:
            yield from self._learn_singles(self.pair_total)
        else:
            yield from self._learn_pair()

    def _walk_one(self, group: Group) -> _Pages:
        """Check a group by its own head."""
        first = yield from self._head(group, None if self.want.anew else self._etag(group))
        if first is None:  # 304: all as it was
            self._answer(group, self._list(group), self.counts.get(group))
            return
        self._answer(group, self._list(group), first.total)
        self.windows[group] = self._head_window(group, first)

    # -- albums and singles, first check (or read anew) -------------------------------------------------------------

    def _learn_pair(self) -> _Pages:
        """Read the head of both lists; find where the albums end."""
        first = yield from self._page(PAIR, 0, "first page")
        self._expect_entries(first, PAIR)
        albums = self._split(first, 0)
        if albums is None:  # no single on the page: nothing but albums so far
            yield from self._read_on(PAIR, Group.ALBUM, first, 0)
            self.pair_total = first.total
            self._answer(Group.ALBUM, self._list(Group.ALBUM), None)
            yield from self._learn_singles(first.total)
            return
        self._list(Group.ALBUM).ended = True
        self._list(Group.SINGLE).ended = not first.more
        if self._mark(Group.ALBUM) is None:  # a quota that ends in the singles need not cost what is known of these
            self.pair_total = first.total
            self._answer(Group.ALBUM, self._list(Group.ALBUM), albums)
        yield from self._read_on(PAIR, Group.SINGLE, first, albums)
        self._settle_pair(albums, first.total, first, 0)

    def _learn_singles(self, total: int | None) -> _Pages:
        """Read the head of the singles; with the total of both lists, that also tells how many albums there are."""
        head = yield from self._head(Group.SINGLE, None)
        if head is None or head.total is None or total is None:
            raise _Unordered(_MISPLACED)
        self._settle_pair(max(total - head.total, 0), total, None, 0)

    # -- albums and singles, the probe ------------------------------------------------------------------------------

    def _probe_pair(self, window: Window) -> _Pages:
        """Ask for the window; read on as far as it does not explain itself."""
        self.probes += 1
        page = yield from self._page(PAIR, window.offset, "probe", window.etag)
        if page.not_modified:
            yield from self._album_head_in_turn(window)
            for group in PAIR:
                self._answer(group, self._list(group), self.counts.get(group))
            return
        if not page.entries and window.offset:
            yield from self._learn_pair()  # the list has shrunk to before the window
            return
        self._expect_entries(page, PAIR)
        albums = self._split(page, window.offset)
        if albums is None or (window.offset and page.entries and is_single(page.entries[0])):
            yield from self._relocate()
            return
        yield from self._explain(window, page, albums)

    def _explain(self, window: Window, page: Page, albums: int) -> _Pages:
        """The window shows where the albums end. Account for both groups."""
        singles, offset = self._list(Group.SINGLE), window.offset
        if offset == 0:
            self._list(Group.ALBUM).ended = True
        singles.ended = not page.more
        singles.expected = expected_singles(window, self.counts.get(Group.ALBUM))
        yield from self._read_on(PAIR, Group.SINGLE, page, albums)
        now = None if page.total is None else page.total - albums
        if offset and (self._album_list_moved(window, page, albums) or self._unexplained(Group.SINGLE, now)):
            yield from self._read_album_head()
        elif offset:
            yield from self._album_head_in_turn(window)
        self._settle_pair(albums, page.total, page, offset)

    def _relocate(self) -> _Pages:
        """The window shows one group only: find the boundary by the albums' own list, and look there."""
        head = yield from self._read_album_head()
        if head is None or head.total is None:
            raise _Unordered(_MISPLACED)
        albums = head.total
        start = window_offset(albums, None, self.page_size)
        self.seen.pop(Group.SINGLE, None)
        window = yield from self._page(PAIR, start, "probe where the albums end now")
        found = self._split(window, start)
        if found is None or not window.entries or (start and is_single(window.entries[0])):
            raise _Unordered(_MISPLACED)
        self._list(Group.SINGLE).ended = not window.more
        self._list(Group.ALBUM).ended = self._list(Group.ALBUM).ended or start == 0
        old = self.windows[name_of(PAIR)]
        self._list(Group.SINGLE).expected = expected_singles(old, self.counts.get(Group.ALBUM))
        yield from self._read_on(PAIR, Group.SINGLE, window, found)
        self._settle_pair(found, window.total, window, start)

    def _album_list_moved(self, window: Window, page: Page, albums: int) -> bool:
        found = next((one for one in page.entries if one.position == albums - 1), None)
        oldest = found.release.ref.id if found else None
        expected = window.ids[0] if window.ids else None
        return albums != self.counts.get(Group.ALBUM) or (expected is not None and oldest != expected)

    def _album_head_in_turn(self, window: Window) -> _Pages:
        """Read the album head where the window cannot see it: one album in, another out, leave it as it was."""
        if window.offset and self.probes >= self.want.head_every:
            yield from self._read_album_head()

    def _read_album_head(self) -> Generator[PageRequest, Page, Page | None]:
        self.probes = 0
        head = yield from self._head(Group.ALBUM, self._etag(Group.ALBUM))
        if head is not None:
            self.windows[Group.ALBUM] = self._head_window(Group.ALBUM, head)
        return head

    # -- one group's head -------------------------------------------------------------------------------------------

    def _head(self, group: Group, etag: str | None) -> Generator[PageRequest, Page, Page | None]:
        """Read the head of a group's own list, and on while news keep coming; None where it is not modified."""
        first = yield from self._page((group,), 0, f"head of {group}", etag)
        if first.not_modified:
            return None
        self._expect_entries(first, (group,))
        seen = self._list(group)
        seen.add(first.entries, covers=self._covered(first))
        seen.ended = seen.ended or not first.more
        yield from self._read_on((group,), group, first, 0)
        return first

    def _read_on(self, groups: Sequence[Group], group: Group, page: Page, shift: int) -> _Pages:
        """Read further pages while unknown releases keep coming; at a first check, while they are recent enough."""
        seen = self._list(group)
        if group in self.windows:
            seen.expected = self.windows[group].ids
        for _ in range(self.want.page_cap):
            if seen.ended or not page.more or not self._wants_more(seen):
                return
            page = yield from self._page(groups, self.at + self.page_size, f"more of {group}")
            own = [group_of(one.release, groups) is group for one in page.entries]
            if any(later and not early for early, later in pairwise(own)) or (group is PAIR[1] and not all(own)):
                raise _Unordered(_MISPLACED)
            covered = self._covered(page) if all(own) else range(self.at, page.entries[sum(own)].position)
            seen.add(page.entries[: sum(own)], shift, covered)
            seen.ended = not page.more or not all(own) or not page.entries

    def _wants_more(self, seen: Seen) -> bool:
        mark = self._mark(seen.group)
        if mark is not None and seen.keeps_coming(mark):
            return True
        if mark is not None and not self.want.anew:
            return False
        dates = [one.release.date for one in seen.listed()]
        last = dates[-1] if dates else None
        return not seen.descending() or last is None or last.last_day >= self._since(mark)

    def _since(self, mark: Mark | None) -> date:
        """Return how far back a list is read: that of a group asked for the first time, to the artist's last check."""
        checks = [one.checked_at for one in self.follow.marks.values()] if self.follow.artist.learnt else []
        if mark is not None or not checks:
            return self.want.since
        return min(self.want.since, (max(checks) - GRACE).date())

    # -- book-keeping -----------------------------------------------------------------------------------------------

    def _page(
        self, groups: Sequence[Group], offset: int, reason: str, etag: str | None = None
    ) -> Generator[PageRequest, Page, Page]:
        """Ask for a page; step once over an empty one that names a next."""
        self.at = offset
        page = yield PageRequest(tuple(groups), offset, reason, etag)
        if page.more and not page.entries:
            refuse_empty_top(self.follow.artist, offset)
            self.at += self.page_size
            page = yield PageRequest(tuple(groups), self.at, f"{reason}, after an empty page")
            page = replace(page, etag=None)  # it is that of another page than the one that was asked for
            if page.more and not page.entries:
                raise CheckError("the service sent empty pages without end", code="bad_data", transient=True)
        self.name = credited_name(page.entries, self.follow.artist.ref.id) or self.name
        page = continued(recognised(page, self.follow), self.at + self.page_size)
        self.shown.add(page, groups)
        return page

    def _covered(self, page: Page) -> range:
        """Return the positions from the begin of the last page to its last entry; it may hide some between."""
        return range(self.at, max((one.position + 1 for one in page.entries), default=self.at))

    def _split(self, page: Page, offset: int) -> int | None:
        """Sort a page of the pair into its groups; return the number of albums, None where no single shows it."""
        kinds = [is_single(one) for one in page.entries]
        if any(early and not later for early, later in pairwise(kinds)):
            raise _Unordered(_MISPLACED)
        albums = [one for one, single in zip(page.entries, kinds, strict=True) if not single]
        singles, covered = page.entries[len(albums) :], self._covered(page)
        if singles:
            border = singles[0].position
            self._list(Group.ALBUM).add(albums, covers=range(covered.start, border))
            self._list(Group.SINGLE).add(singles, border, range(border, covered.stop))
            return border
        self._list(Group.ALBUM).add(albums, covers=covered)
        if not page.more:  # the list ends with the albums: there is no single
            self._list(Group.SINGLE).ended = True
            return albums[-1].position + 1 if albums else offset
        return None

    def _settle_pair(self, albums: int, total: int | None, page: Page | None, offset: int) -> None:
        """Answer both groups, and note the window to expect next."""
        singles = None if total is None else max(total - albums, 0)
        before = expected_singles(self.windows.get(name_of(PAIR)), self.counts.get(Group.ALBUM))
        oldest = self._list(Group.ALBUM).by_position.get(albums - 1)
        start = window_offset(albums, total, self.page_size)
        if page is not None and start == offset:
            window = Window(offset, tuple(one.release.ref.id for one in page.entries), page.etag)
        else:
            top = merged(self._list(Group.SINGLE).top_ids(self.page_size - 1), before)[: self.page_size - 1]
            window = Window(start, (oldest.ref.id if oldest else None, *top)) if start else Window(0)
        for group, count in ((Group.ALBUM, albums), (Group.SINGLE, singles)):
            seen = self._list(group)
            if seen.by_position or seen.ended:
                self._answer(group, seen, count)
            elif count is not None:  # answered by an earlier check that was cut short: not asked again
                self.counts[group] = count
        self.windows[name_of(PAIR)] = window
        self.pair_total = None
        heads = tuple(self._list(Group.ALBUM).top_ids(self.page_size)) if start else ()
        if heads and heads != self.windows.get(Group.ALBUM, Window()).ids:  # without it, what goes is not missed
            self.windows[Group.ALBUM] = Window(0, heads)

    def _answer(self, group: Group, seen: Seen, count: int | None) -> None:
        wanted = self._unexplained(group, count) if count is not None or self._mark(group) else False
        view = seen.view(deep_wanted=wanted or None)
        self.answered[group] = without_depth(view, self._mark(group), self.follow.known)
        if count is not None:
            self.counts[group] = count

    def _unexplained(self, group: Group, now: int | None) -> bool:
        return unexplained(self._list(group), self.old.counts.get(group) if self.old else None, now, self._mark(group))

    def _expect_entries(self, page: Page, groups: Sequence[Group]) -> None:
        """Refuse a list that had entries and comes back empty; the third time in a row it is believed."""
        if page.entries or page.not_modified:
            return
        had = any(one.group in groups and self._mark(one.group) for one in self.follow.known.values())
        was_empty = self.old is not None and all(self.old.counts.get(group) == 0 for group in groups)
        if had and not was_empty and not believed(self.follow.artist, "empty"):
            raise CheckError("the list came back empty, though it had releases before", code="empty")

    def _mark(self, group: Group) -> Mark | None:
        mark = self.follow.marks.get(group)
        return mark if mark is not None and mark.market == self.want.market else None

    def _list(self, group: Group) -> Seen:
        return self.seen.setdefault(group, Seen(group, self.follow.known))

    def _etag(self, group: Group) -> str | None:
        """Return the tag of a group's head as of the last check: what that showed is decided. One of this check is no
        such tag: a 304 would stand for entries that may have been thrown away since.
        """
        window = self.old.windows.get(group) if self.old else None
        return window.etag if window else None

    def _forget_pair(self) -> None:
        """Check this artist's albums and singles one by one from now on, as if nothing was read of them yet."""
        self.pair = False
        self.counts = dict(self.old.counts) if self.old else {}
        self.windows = dict(self.old.windows) if self.old else {}
        self.windows.pop(name_of(PAIR), None)
        for group in PAIR:
            self.seen.pop(group, None)
            self.answered.pop(group, None)

    def _head_window(self, group: Group, page: Page) -> Window:
        return Window(0, tuple(self._list(group).top_ids(self.page_size)), page.etag)
