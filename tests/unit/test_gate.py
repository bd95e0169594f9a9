"""The gate: the day's quota, the rate, budget and cooldowns, for one process and for several, on clocks that jump."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.memory_store.store import MemoryStore

from freshwax.clock import SimulatedClock
from freshwax.errors import Paused
from freshwax.model import Cost, Mode
from freshwax.quota import DAY, Cooldown, full_minute, in_force, limits
from freshwax.sources.gate import Gate

START = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Machine:
    """A clock and a database; any number of processes."""

    def __init__(self) -> None:
        self.clock = SimulatedClock(START)
        self.store = MemoryStore()

    def gate(self, **options: object) -> Gate:
        return Gate("spotify", self.store, self.clock, **options)  # type: ignore[arg-type]

    def wait(self, time: timedelta) -> None:
        self.clock.move_to(self.clock.now() + time)

    def sent(self, gate: Gate, bucket: str = "x") -> bool:
        try:
            gate.admit(bucket)
        except Paused:
            return False
        return True


@pytest.fixture
def machine() -> Machine:
    return Machine()


def refusal(tested: Gate, bucket: str = "x") -> Paused:
    with pytest.raises(Paused) as caught:
        tested.admit(bucket)
    assert tested.refusal is caught.value
    return caught.value


# -- the day's quota -------------------------------------------------------------------------------------------------


def test_the_quota_is_that_of_the_last_24_hours(machine: Machine) -> None:
    tested = machine.gate(per_day=3)
    for _ in range(3):
        tested.admit("x")
        machine.wait(HOUR)

    first = refusal(tested)
    assert (first.reason, first.until) == ("quota", START + DAY)
    limit = "Your limit of 3 requests a day (requests_per_day) is reached"
    assert str(first) == f"{limit}: paused until 2026-03-07 12:00 UTC"
    assert machine.store.requests_since("spotify", START) == 3

    machine.clock.move_to(START + DAY)
    tested.admit("x")
    assert refusal(tested).until == START + DAY + HOUR


def test_the_quota_counts_what_earlier_runs_asked(machine: Machine) -> None:
    machine.gate().admit("x")

    assert refusal(machine.gate(per_day=1)).reason == "quota"


def test_two_processes_share_the_quota_to_the_last_request(machine: Machine) -> None:
    one, other = machine.gate(per_day=7), machine.gate(per_day=7)
    for gate in (one, other) * 2:
        gate.check("x")  # all of them see room
    sent = [machine.sent(gate) for gate in (one, other) * 5]

    assert sent == [True] * 7 + [False] * 3
    assert one.cost.requests + other.cost.requests == 7


@pytest.mark.parametrize("per_day", [None, 0])
def test_no_quota_is_no_limit(machine: Machine, per_day: int | None) -> None:
    tested = machine.gate(per_day=per_day)

    for _ in range(2000):
        tested.admit("x")


def test_the_rest_continues_when_there_is_room_for_all_of_it(machine: Machine) -> None:
    tested = machine.gate(per_day=10)
    for _ in range(10):
        tested.admit("x")
        machine.wait(HOUR)
    refusal(tested)

    assert tested.resumes(1) == START + DAY
    assert tested.resumes(4) == START + DAY + 3 * HOUR
    assert tested.resumes(10) == tested.resumes(500) == START + DAY + 9 * HOUR
    machine.clock.move_to(START + DAY + 3 * HOUR)
    assert tested.resumes(4) is None
    assert [machine.sent(tested) for _ in range(5)] == [True] * 4 + [False]


def test_the_rest_continues_after_the_cooldown_and_the_quota(machine: Machine) -> None:
    tested = machine.gate(per_day=1)
    tested.admit("x")
    with pytest.raises(Paused):
        tested.pause(2 * HOUR, "rate limit")
    assert tested.resumes(1) == START + DAY
    with pytest.raises(Paused):
        tested.pause(30 * HOUR, "rate limit")
    assert tested.resumes(1) == START + 30 * HOUR


def test_an_instant_is_rounded_up_to_the_minute_in_utc(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "TZ", "America/New_York")  # where the clocks change on 8 March
    time.tzset()
    try:
        machine.wait(timedelta(seconds=1))
        with pytest.raises(Paused, match=r"until 2026-03-08 12:01 UTC"):
            machine.gate().pause(2 * DAY, "rate limit")
        assert full_minute(START) == START
    finally:
        monkeypatch.undo()
        time.tzset()


# -- the rate --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("processes", [1, 2, 5])
def test_all_processes_together_keep_to_the_rate(machine: Machine, processes: int) -> None:
    gates = [machine.gate(per_second=5) for _ in range(processes)]
    sent: list[datetime] = []
    while machine.clock.now() < START + timedelta(seconds=90):
        sent += [machine.clock.now() for gate in gates if machine.sent(gate)]
        machine.wait(timedelta(seconds=0.2))

    window = timedelta(seconds=30)
    assert max(sum(begin <= at < begin + window for at in sent) for begin in sent) <= 150
    assert len(sent) >= 400, "and they use it"


def test_who_meets_the_rate_of_others_waits_moments_only(machine: Machine) -> None:
    others, mine = machine.gate(per_second=5), machine.gate(per_second=5)
    waits = []
    while machine.clock.now() < START + timedelta(seconds=90):
        while machine.sent(others):
            pass
        refused = refusal(mine)
        assert (refused.reason, refused.until is not None) == ("pace", True)
        waits.append((refused.until or START) - machine.clock.now())
        machine.wait(timedelta(seconds=0.1))

    assert max(waits) <= timedelta(seconds=10)


@given(st.floats(0.02, 200))
def test_a_process_that_paces_itself_never_meets_the_rate(per_second: float) -> None:
    machine = Machine()
    gate = machine.gate(per_second=per_second)
    for _ in range(300):
        gate.admit("x")
        machine.wait(timedelta(microseconds=1) + timedelta(seconds=1 / per_second))


def test_rates_in_limits() -> None:
    assert [(one.requests, one.within.total_seconds()) for one in limits(580, 5)] == [(580, 86400), (150, 30), (11, 2)]
    assert limits(None, 0) == ()
    assert [(one.requests, one.within.total_seconds()) for one in limits(None, 0.01)] == [(1, 30)]


# -- budget and cost -------------------------------------------------------------------------------------------------


def test_a_budget_ends_until_more_is_allowed(machine: Machine) -> None:
    tested = machine.gate(budget=1)
    tested.admit("x")

    spent = refusal(tested)
    assert (spent.reason, spent.until) == ("budget", None)
    assert tested.resumes(5) is None
    tested.allow(2)
    tested.admit("x")
    assert tested.budget == 1
    tested.allow(None)
    tested.admit("x")
    assert tested.budget is None


def test_a_request_is_in_the_ledger_before_it_is_sent_and_counted_after(machine: Machine) -> None:
    run = machine.store.start_run(Mode.INCREMENTAL, "US", START)
    tested = machine.gate(run_id=run.id)

    number = tested.admit("artist-albums")
    assert machine.store.requests_since("spotify", START) == 1
    tested.settle(number, 304, 120)
    tested.settle(tested.admit("search"), 200, 1000)
    tested.settle(tested.admit("search"), 0, 0)
    assert tested.cost == Cost(requests=3, not_modified=1, bytes_received=1120)


# -- cooldowns -------------------------------------------------------------------------------------------------------


def test_a_cooldown_is_seen_by_every_process_at_once_and_ends(machine: Machine) -> None:
    running, doctor, later = machine.gate(), machine.gate(), machine.gate()
    running.admit("x")
    with pytest.raises(Paused, match=r"Spotify is paused until 2026-03-06 12:05 UTC: it asked to be left alone"):
        doctor.pause(timedelta(minutes=5), "rate limit")

    for gate in (running, doctor, later):
        assert (refusal(gate).reason, refusal(gate).until) == ("rate limit", START + timedelta(minutes=5))
        with pytest.raises(Paused):
            gate.check_cooldown(None)
    machine.wait(timedelta(minutes=5))
    running.admit("x")


def test_a_spent_quota_of_one_bucket_spares_the_others(machine: Machine) -> None:
    tested, other = machine.gate(), machine.gate()
    with pytest.raises(Paused, match="it says that this app's quota is spent"):
        tested.pause(HOUR, "quota exceeded", "artist-albums")

    assert refusal(other, "artist-albums").reason == "quota exceeded"
    other.admit("search")
    other.check_cooldown(None)  # a token may be had


def test_of_several_pauses_the_longest_counts(machine: Machine) -> None:
    tested = machine.gate()
    for wait, reason, bucket in (
        (HOUR, "quota exceeded", "x"),
        (timedelta(minutes=5), "quota exceeded", "x"),
        (timedelta(minutes=9), "rate limit", None),
    ):
        with pytest.raises(Paused):
            tested.pause(wait, reason, bucket)

    assert refusal(tested, "x").until == START + HOUR
    assert refusal(tested, "y").until == START + timedelta(minutes=9)


# -- clocks that jump ------------------------------------------------------------------------------------------------


def test_a_cooldown_learnt_by_a_clock_that_was_ahead_lasts_as_long_as_it_was_to(machine: Machine) -> None:
    machine.wait(timedelta(days=400))
    with pytest.raises(Paused):
        machine.gate().pause(HOUR, "quota exceeded", "x")
    machine.clock.move_to(START)

    assert in_force(machine.store.cooldowns("spotify"), "x", START) is not None, "reading commands say so, too"
    for minute in (0, 20, 59):
        machine.clock.move_to(START + timedelta(minutes=minute))
        assert refusal(machine.gate()).until == START + HOUR
    machine.clock.move_to(START + HOUR)
    machine.gate().admit("x")


def test_a_cooldown_of_an_older_freshwax_that_lies_too_far_ahead_is_not_believed(machine: Machine) -> None:
    machine.store.set_cooldown(Cooldown("spotify", START + timedelta(days=3), "quota exceeded"))

    machine.gate().admit("x")


AHEAD = [timedelta(minutes=1), timedelta(hours=20), timedelta(days=400)]


def spent(machine: Machine, ahead: timedelta) -> None:
    """Spend a quota of five by a clock that is ahead, and set it right."""
    machine.wait(ahead)
    for _ in range(5):
        machine.gate(per_day=5).admit("x")
    machine.clock.move_to(START)


@pytest.mark.parametrize("ahead", AHEAD)
def test_requests_of_a_clock_that_was_ahead_count_for_a_day_from_now(machine: Machine, ahead: timedelta) -> None:
    spent(machine, ahead)
    tested = machine.gate(per_day=5)
    assert refusal(tested).until == START + DAY
    machine.wait(timedelta(seconds=30))
    tested.confirm(machine.clock.now())

    machine.clock.move_to(START + DAY - timedelta(seconds=1))
    assert refusal(machine.gate(per_day=5)).until == START + DAY, "looking again does not prolong it"
    machine.wait(timedelta(seconds=1))
    assert [machine.sent(machine.gate(per_day=5)) for _ in range(6)] == [True] * 5 + [False]


@pytest.mark.parametrize("said", [None, START + HOUR, START - HOUR])
def test_a_clock_that_no_answer_confirms_rewrites_nothing(machine: Machine, said: datetime | None) -> None:
    with pytest.raises(Paused):
        machine.gate().pause(DAY, "quota exceeded", "listings")
    for _ in range(5):
        machine.gate(per_day=5).admit("x")
    machine.clock.move_to(START - 2 * DAY)
    behind = machine.gate(per_day=5)
    assert refusal(behind).until == START - DAY, "they may have been sent a moment ago"
    assert refusal(behind, "listings").until == START - DAY
    behind.confirm(said)

    machine.clock.move_to(START + HOUR)
    assert refusal(machine.gate(per_day=5)).until == START + DAY
    assert refusal(machine.gate(per_day=5), "listings").until == START + DAY


def test_without_an_answer_they_count_again_when_their_time_comes(machine: Machine) -> None:
    spent(machine, 2 * DAY)
    refusal(machine.gate(per_day=5))

    machine.clock.move_to(START + DAY)
    machine.gate(per_day=5).admit("x")
    machine.clock.move_to(START + 2 * DAY + HOUR)
    assert refusal(machine.gate(per_day=5)).until == START + 3 * DAY


def test_the_quota_holds_after_more_than_a_day_s_requests_in_the_far_future(machine: Machine) -> None:
    machine.wait(timedelta(days=400))
    for _ in range(30):
        machine.gate().admit("x")
    machine.clock.move_to(START)
    machine.gate(per_day=5).check_cooldown("x")
    sent = 0
    for _ in range(3 * 24):
        sent += sum(machine.sent(machine.gate(per_day=5)) for _ in range(9))
        machine.wait(HOUR)

    assert sent == 10, "a day's wait, then a day's quota in any 24 hours"


jumps = st.sampled_from([-400, -1, -0.04, -0.001, 0.001, 0.04, 1, 400]).map(lambda days: timedelta(days=days))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(jumps, st.integers(0, 30)), max_size=4))
def test_whatever_the_clock_does_a_jump_costs_a_quota_or_a_day_at_most(jumped: list[tuple[timedelta, int]]) -> None:
    """True time goes on hour by hour; the clock jumps now and then, and is set right in the end; the day's quota is
    always asked for, and answers bear the true time.
    """
    machine, quota = Machine(), 4
    sent: list[int] = []
    hour = 0

    def send() -> bool:
        gate = machine.gate(per_day=quota)
        gate.check_cooldown("x")
        gate.confirm(START + hour * HOUR)
        return machine.sent(gate)

    def live(hours: int) -> None:
        nonlocal hour
        for _ in range(hours):
            sent.extend(hour for _ in range(quota) if send())
            machine.wait(HOUR)
            hour += 1

    live(30)
    for jump, hours in jumped:
        machine.wait(jump)
        live(hours)
    behind = machine.clock.now() < START + hour * HOUR
    machine.clock.move_to(START + hour * HOUR)
    live(50)

    assert any(one >= hour - 25 for one in sent), "no lock-out outlives a day"
    forward = sum(jump > timedelta(0) for jump, _ in jumped) + behind
    busiest = max(sum(begin <= one < begin + 24 for one in sent) for begin in range(hour))
    assert busiest <= quota * (1 + forward)
