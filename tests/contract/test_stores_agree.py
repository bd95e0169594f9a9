"""Random lives of two stores: whatever is done to both, both answer the same."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace
from tests.contract.store_words import NOW, SHELL, mark, release
from tests.memory_store.store import MemoryStore

from freshwax.model import (
    ArtistState,
    CheckResult,
    Decision,
    Group,
    Kind,
    Line,
    Mode,
    Ref,
    Release,
    Report,
    Run,
    RunStatus,
    Silence,
)
from freshwax.quota import Cooldown, limits
from freshwax.store.base import Check, Store
from freshwax.store.sqlite import SQLiteStore

ARTISTS = [Ref("spotify", name) for name in ("a", "b", "c")]
RELEASES = [Ref("spotify", f"r{n}") for n in range(6)]
CHANNELS = [SHELL, "mail"]

artists = st.sampled_from(ARTISTS)
instants = st.integers(0, 20).map(lambda n: NOW + timedelta(days=n))
names = st.sampled_from([None, "Zoe", "abe", "Ä"])
groups = st.sampled_from([Group.ALBUM, Group.SINGLE])
keys = st.sampled_from(["", "k", "l"])
releases = st.builds(
    release,
    st.sampled_from([ref.id for ref in RELEASES]),
    date=st.sampled_from([None, "2026", "2026-03", "2026-03-06"]),
    title=st.sampled_from(["T", "U"]),
    total_tracks=st.sampled_from([None, 1, 2]),
)
marks = st.builds(
    mark,
    groups,
    instants,
    horizon=st.integers(0, 30),
    read_to_end_at=st.none() | instants,
    deep_cursor=st.none() | st.integers(0, 9),
    deep_wanted=st.booleans(),
    turn_at=st.none() | instants,
)


@st.composite
def decisions(draw: st.DrawFn) -> Decision:
    one: Release = draw(releases)
    kind: Kind | None = draw(st.none() | st.sampled_from(Kind))
    silence = None if kind else draw(st.sampled_from(Silence))
    announced = one.ref if kind else draw(st.sampled_from([None, one.ref]))
    return Decision(one, draw(groups), draw(keys), draw(keys), kind, silence, None, announced, draw(instants))


class Twice(RuleBasedStateMachine):
    """Does everything to a store in memory and to one in SQLite."""

    def __init__(self) -> None:
        super().__init__()
        self.stores: tuple[Store, Store] = (MemoryStore(), SQLiteStore.open(":memory:"))
        self.run: Run | None = None
        self.report: Report | None = None

    def teardown(self) -> None:
        for store in self.stores:
            store.close()

    def both(self, method: str, *values: Any, **named: Any) -> Any:
        first, second = (getattr(store, method)(*values, **named) for store in self.stores)
        assert first == second, method
        return first

    @initialize(now=instants)
    def begin(self, now: Any) -> None:
        self.start_run(now)

    @rule(now=instants)
    def start_run(self, now: Any) -> None:
        self.run = self.both("start_run", Mode.INCREMENTAL, "US", now)

    @rule(checks=instants, releases=st.none() | instants)
    def prune(self, checks: Any, releases: Any) -> None:
        self.both("prune", checks_before=checks, releases_before=releases, most=1000)

    @rule(status=st.sampled_from(RunStatus))
    def finish(self, status: RunStatus) -> None:
        assert self.run
        self.both("finish_run", replace(self.run, status=status))

    @rule(entries=st.lists(st.tuples(artists, names), max_size=3), now=instants)
    def watch(self, entries: list[tuple[Ref, str | None]], now: Any) -> None:
        self.both("watch", entries, now)

    def followed(self) -> bool:
        return len(self.stores[0].artists(list(ArtistState))) == len(ARTISTS)

    @precondition(lambda self: not self.followed())
    @rule(now=instants)
    def watch_all(self, now: Any) -> None:
        self.both("watch", [(ref, None) for ref in ARTISTS], now)

    @precondition(followed)
    @rule(artist=artists, state=st.sampled_from(ArtistState))
    def set_state(self, artist: Ref, state: ArtistState) -> None:
        self.both("set_state", artist, state)

    @precondition(followed)
    @rule(artist=artists, at=instants, code=st.sampled_from(["server", "empty"]), gone=st.booleans())
    def fail(self, artist: Ref, at: Any, code: str, gone: bool) -> None:
        assert self.run
        check = Check(artist, self.run.id, at, code)
        self.both("save_failure", check, state=ArtistState.GONE if gone else None)

    @precondition(followed)
    @rule(taken=st.lists(artists, max_size=2, unique=True), at=instants)
    def take_turns(self, taken: list[Ref], at: Any) -> None:
        self.both("take_turns", taken, at)

    @precondition(followed)
    @rule(
        values=st.fixed_dictionaries(
            {
                "artist": artists,
                "at": instants,
                "name": names,
                "decisions": st.lists(decisions(), max_size=5).map(tuple),
                "changed": st.just(()),
                "marks": st.lists(marks, max_size=2, unique_by=lambda one: one.group).map(tuple),
                "listing": st.sampled_from([None, "x"]),
                "regular": st.booleans(),
                "paused": st.booleans(),
            }
        ),
        channels=st.sets(st.sampled_from(CHANNELS), min_size=1),
        breaks=st.booleans(),
    )
    def save(self, values: dict[str, Any], channels: set[str], breaks: bool) -> None:
        assert self.run
        result = CheckResult(run_id=self.run.id, **values)
        for store in self.stores:
            with suppress(ConnectionError), store.write() as tx:
                tx.save(result, channels)
                if breaks:
                    raise ConnectionError

    @rule(
        channel=st.sampled_from(CHANNELS),
        hidden=st.sampled_from([None, "title"]),
        upcoming=st.booleans(),
        at_once=st.booleans(),
    )
    def fix(self, channel: str, hidden: str | None, upcoming: bool, at_once: bool) -> None:
        assert self.run
        waiting = self.both("untold", channel)
        lines = tuple(Line(one.release, one.kind, one.first_seen_at, hidden) for one in waiting)
        if not upcoming:
            lines = tuple(replace(line, kind=Kind.NEW) for line in lines)
        self.report = self.both("save_report", Report(0, channel, Mode.INCREMENTAL, self.run, lines, ("note",)))
        if at_once:
            self.both("tell", self.report.id, NOW)

    @precondition(lambda self: self.report)
    @rule(at=instants)
    def tell(self, at: Any) -> None:
        assert self.report
        self.both("tell", self.report.id, at)
        self.report = None

    @rule(at=instants)
    def request(self, at: Any) -> None:
        assert self.run
        for store in self.stores:  # numbers of what was pruned may come again, or not
            store.settle_request(store.claim_request("spotify", "x", at, self.run.id, ()), 200, 5)
        claimed = [store.claim_request("spotify", "x", at, self.run.id, limits(3, 1.0)) for store in self.stores]
        assert claimed[0] == claimed[1] or all(isinstance(one, int) for one in claimed)
        self.both("requests_since", "spotify", at)
        self.both("notice_ahead", "spotify", at)
        for now in (at, at + timedelta(days=2), at - timedelta(days=2)):
            for n in (1, 2, 5):
                self.both("nth_last_request", "spotify", n, now)
            self.both("requests_since", "spotify", at - timedelta(days=1), now)
        self.both("pull_back", "spotify", at)
        self.both("nth_last_request", "spotify", 2)

    @rule(at=instants, since=st.none() | instants, bucket=st.sampled_from(["", "search"]))
    def cooldown(self, at: Any, since: Any, bucket: str) -> None:
        self.both("set_cooldown", Cooldown("spotify", at, "rate limit", bucket, since))
        self.both("notice_ahead", "spotify", at)
        self.both("cooldowns", "spotify")
        self.both("pull_back", "spotify", at)
        self.both("cooldowns", "spotify")

    @invariant()
    def they_agree(self) -> None:
        if not self.run:
            return
        for artist in self.both("artists", list(ArtistState), groups=[Group.SINGLE]):
            self.both("follow", artist.ref)
            self.both("failing_since", artist.ref)
            self.both("releases", artist=artist.ref, run_id=self.run.id)
            self.both("untold", SHELL, [artist.ref])
        for channel in CHANNELS:
            self.both("untold", channel)
            self.both("last_report", channel)
        for ref in RELEASES:
            self.both("story", ref)
        for method in ("runs", "held", "artists"):
            self.both(method)
        self.both("checks", self.run.id)
        self.both("reports", self.run.id)
        self.both("releases", since=NOW + timedelta(days=5), announced_only=True)
        self.both("releases", dated_since="2026-03", limit=3)
        self.both("deep_queue", NOW + timedelta(days=10), list(Group), None, 5)
        found = []
        for store in self.stores:
            with store.write() as tx:
                found.append(list(tx.announced(RELEASES[:2], ["k", ""])))
        assert found[0] == found[1]


TestStoresAgree = Twice.TestCase
TestStoresAgree.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
