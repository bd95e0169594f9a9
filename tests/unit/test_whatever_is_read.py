"""Whatever a check that counts has read is decided in it, in whatever order the service lists: a tag kept for a page
whose contents were dropped would hide them until the next audit.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence
from datetime import timedelta

from hypothesis import given, note
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.simulation import START, Simulation, day
from tests.unit.test_invariants import worlds

from freshwax.demo.builder import WorldBuilder
from freshwax.demo.world import World, WorldRelease
from freshwax.model import Group, Listed, Ref
from freshwax.sources.spotify.lists import group_of
from freshwax.sources.spotify.pages import Page, PageRequest

Manner = Callable[[Sequence[WorldRelease]], list[WorldRelease]]


def shuffled(seed: int) -> Manner:
    return lambda listing: random.Random(seed).sample(list(listing), len(listing))


MANNERS: dict[str, Manner] = {
    "as documented": list,
    "singles first": lambda listing: sorted(listing, key=lambda one: one.type == "album"),
    "oldest first": lambda listing: list(reversed(listing)),
    "interleaved": lambda listing: sorted(listing, key=lambda one: one.date.value, reverse=True),
    "shuffled": shuffled(1),
    "shuffled again": shuffled(2),
}


class Service:
    """Serves lists in a manner of its own, with a tag for every page, and keeps what it showed of each list."""

    def __init__(self, user: Simulation) -> None:
        self.user = user
        self.manner = MANNERS["as documented"]
        self.says_total = True
        self.shown: dict[tuple[str, Group], set[str]] = {}
        user.tamper = self.answer
        user.options = replace(user.options, concurrency=1)  # what was asked last is what is answered

    def answer(self, page: Page, request: PageRequest) -> Page:
        source = self.user.source
        artist = source.asked[-1][0]
        everything = self.manner(source.world.listings(artist, request.groups, source.clock.now()))
        end = request.offset + source.page_size
        listed = [Listed(at, source.release(one)) for at, one in enumerate(everything)][request.offset : end]
        total = len(everything) if self.says_total else None
        answer = Page(tuple(listed), total, end < len(everything))
        tag = hashlib.sha256(repr((request.groups, request.offset, answer)).encode()).hexdigest()
        if request.etag == tag:
            return Page(etag=tag, not_modified=True)
        for one in listed:
            self.shown.setdefault((artist, group_of(one.release, request.groups)), set()).add(one.release.ref.id)
        return Page(answer.entries, answer.total, answer.more, tag)


WEEKS = st.lists(
    st.tuples(st.sampled_from(sorted(MANNERS)), st.sampled_from([None, None, None, 1, 2, 3, 5]), st.booleans()),
    min_size=2,
    max_size=8,
)


@given(world=worlds(), weeks=WEEKS, page_size=st.sampled_from([3, 4, 10]))
def test_what_a_check_read_is_decided_in_it(
    world: World, weeks: list[tuple[str, int | None, bool]], page_size: int
) -> None:
    note("\n".join(str(one) for one in world.releases))
    user = Simulation(world, page_size)
    service = Service(user)
    user.follow(*world.artists)
    for manner, budget, says_total in weeks:
        service.manner, service.says_total = MANNERS[manner], says_total
        service.shown.clear()
        user.wait(7)
        user.track(budget=budget)
        assert undecided(user, service) == set()


def undecided(user: Simulation, service: Service) -> set[str]:
    """Return what the last run was shown of lists that it has answered, and did not decide."""
    dates = {one.id: one.date for one in user.world.releases}
    found = set()
    for (artist, group), shown in service.shown.items():
        follow = user.store.follow(Ref("spotify", artist))
        mark = follow.marks.get(group)
        if mark is None or mark.checked_at != user.clock.now():
            continue
        first = mark.first_checked_at.date()
        found |= {
            one for one in shown - set(follow.known) if mark.read_to_end_at is not None or dates[one].last_day >= first
        }
    return found


def test_a_new_album_is_told_in_the_week_in_which_the_order_turns_out_otherwise() -> None:
    world = WorldBuilder()
    artist = world.artist("Nightjar")
    for number in range(12):
        artist.album(f"Album {number}", day(-400 - 60 * number))
    for number in range(10):
        artist.single(f"Single {number}", day(-420 - 40 * number))
    artist.album("Fresh", day(10), appears=START + timedelta(days=10))
    user = Simulation(world.build())
    service = Service(user)
    user.follow(artist.id)
    assert user.check(0) == []
    assert user.check() == []
    service.manner = MANNERS["singles first"]
    assert user.check() == [("Fresh", "new")]
    assert user.check() == []
