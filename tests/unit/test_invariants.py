"""Nothing lost, nothing twice: over random worlds, and whatever order of checks, failures, kills and removals.

The truth comes from the world's own groups: twins and re-listings share one, whatever the code under test thinks of
them.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from hypothesis import given, note
from hypothesis import strategies as st
from tests.simulation import START, KilledError, Simulation, day

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.world import World, WorldRelease
from freshwax.model import ArtistState, Group, Kind, Ref, Silence

DAYS = 70


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """One to three artists with old catalogues, and news of every kind over ``DAYS`` days."""
    world = WorldBuilder(draw(st.integers(0, 3)))
    artists = [world.artist(f"Artist {number}") for number in range(draw(st.integers(1, 3)))]
    for artist in artists:
        for number in range(draw(st.integers(0, 9))):
            artist.album(f"Old Album {artist.name} {number}", day(-300 - 40 * number))
        for number in range(draw(st.integers(0, 9))):
            artist.single(f"Old Single {artist.name} {number}", day(-280 - 30 * number))
    for number in range(draw(st.integers(0, 10))):
        add_news(draw, world, artists, number)
    for old in list(world.build().releases):
        if draw(st.integers(0, 11)) == 0 and old.withdrawn_at is None:
            world.withdraw(old, START + timedelta(days=draw(st.integers(1, DAYS))))
    return world.build()


def add_news(draw: st.DrawFn, world: WorldBuilder, artists: list[ArtistHandle], number: int) -> None:
    credited = draw(st.lists(st.sampled_from(artists), min_size=1, max_size=2, unique_by=lambda one: one.id))
    dated = draw(st.integers(-120, DAYS))
    appears = max(dated + draw(st.sampled_from([0, 0, 0, 2, 9, 100])), -120)
    as_type = draw(st.sampled_from(["album", "single", "single"]))
    one = world.release(as_type, f"News {number}", day(dated), credited, appears=START + timedelta(days=appears))
    extra = draw(st.sampled_from(["", "", "", "twin", "edition", "relist", "early"]))
    if extra == "twin":
        later = draw(st.integers(0, 30))
        world.twin(one, title=f"News {number} (Clean)", appears=one.appears_at + timedelta(days=later))
    elif extra == "edition":
        world.edition(one, f"News {number} (Deluxe Edition)", day(dated + 20))
    elif extra == "relist":
        world.relist(one, one.appears_at + timedelta(days=draw(st.integers(1, 40))))


@st.composite
def schedules(draw: st.DrawFn) -> list[tuple[str, int, int]]:
    steps = st.sampled_from(
        ["run", "run", "run", "run", "fail", "kill", "unread", "remove", "add", "disable", "quota", "types", "scope"]
    )
    return draw(st.lists(st.tuples(steps, st.integers(0, 2), st.integers(1, 9)), min_size=2, max_size=9))


@given(world=worlds(), schedule=schedules(), page_size=st.sampled_from([3, 4, 10]))
def test_every_release_is_told_once_whatever_happens(
    world: World, schedule: list[tuple[str, int, int]], page_size: int
) -> None:
    note("\n".join(str(one) for one in world.releases))
    user = Simulation(world, page_size)
    user.options = type(user.options)(user.options.mode, "US", concurrency=3, check_interval=timedelta(days=1))
    everyone = list(world.artists)
    user.follow(*everyone)
    for step, which, amount in schedule:
        act(user, step, everyone[which % len(everyone)], amount)
    finish(user, everyone)

    truth = {one.id: one.truth for one in world.releases}
    told = Counter((truth[release], kind is Kind.UPCOMING) for _, release, kind in user.told)
    assert [one for one, times in told.items() if times > 1] == [], "told twice"

    names = {one for one, _ in told}
    # What a group brought when it was asked for the first time is decided, and stays so in a later spell.
    told_recent = all(step != "types" for step, _, _ in schedule)
    lost = {one.title for one in must_be_told(user, told_recent=told_recent) if one.truth not in names}
    assert lost == set(), "lost"


def act(user: Simulation, step: str, artist: str, amount: int) -> None:
    ref = Ref("spotify", artist)
    user.wait(amount)
    if step == "run":
        user.track()
    elif step == "fail":
        user.track(failing=[artist])
    elif step == "unread":  # the process is killed before the report is printed
        user.track(tell=False)
    elif step == "quota":
        user.source.quota = amount
        user.track()
        user.source.quota = None
    elif step == "types":
        user.track(groups=(Group.SINGLE,))
    elif step == "scope":  # `track FILE`: what is left out of the report stays untold
        user.track(artists=frozenset({ref}), types=frozenset({"album"}))
    elif step == "kill":
        kill(user, amount)
    elif step == "remove":
        user.store.set_state(ref, ArtistState.REMOVED)
    elif step == "disable":
        user.store.set_state(ref, ArtistState.DISABLED)
    elif step == "add":
        user.follow(artist)


def kill(user: Simulation, amount: int) -> None:
    try:
        user.track(kill_at=amount)
    except BaseExceptionGroup as group:
        assert group.subgroup(KilledError) is not None  # noqa: PT017
    except KilledError:
        pass


def finish(user: Simulation, everyone: list[str]) -> None:
    """Follow everyone again, let every check succeed, and audit every list."""
    user.follow(*everyone)
    user.wait(9)
    user.track()
    user.wait(9)
    user.track(audit_interval=timedelta(0))


def must_be_told(user: Simulation, *, told_recent: bool) -> list[WorldRelease]:
    """Return what is listed at the end and was not listed, or was recent, when the spell of following began."""
    now = user.clock.now()
    found = []
    for artist in user.world.artists:
        marks = user.store.follow(Ref("spotify", artist)).marks
        for group in (Group.ALBUM, Group.SINGLE):
            first = marks[group].first_checked_at
            before = {one.truth for one in user.world.listing(artist, group, first)}
            listed = user.world.listing(artist, group, now)
            wanted = [one for one in listed if one.truth not in before or (told_recent and recent(one, first))]
            found += [one for one in wanted if not hidden_by_a_swap(user, artist, group, one)]
    return found


def recent(one: WorldRelease, first: datetime) -> bool:
    return one.date.last_day >= (first - timedelta(days=90)).date()


def hidden_by_a_swap(user: Simulation, artist: str, group: Group, one: WorldRelease) -> bool:
    """Tell whether it came while another one went, below the part of a list that was read by then: nobody can see
    that."""
    follow = user.store.follow(Ref("spotify", artist))
    known = follow.known.get(one.id)
    if known is None or known.silence is not Silence.HORIZON:
        return False
    gone = [other.withdrawn_at for other in user.world.releases if artist in other.artists and other.type == group]
    return any(at is not None and follow.marks[group].first_checked_at < at <= known.decided_at for at in gone)
