"""Whom a run asks: the properties that hold for every policy, and what each of them goes by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshwax.errors import UsageError
from freshwax.planning.activity import Activity
from freshwax.planning.policies import POLICIES, Bounds, Choice, Standing, Why, choose, smallest_interval

SUNDAY = 20_780.5 - (20_780 + 3) % 7 + 6  # noon of a Sunday
UNIFORM = (1 / 7,) * 7


def activity(rates, *, weekdays=None, last=None) -> Activity:
    n = len(rates)
    return Activity(
        rate=np.array(rates, float),
        last=np.full(n, np.nan) if last is None else np.array(last, float),
        weekdays=np.array(weekdays if weekdays is not None else [UNIFORM] * n, float),
        count=np.zeros(n, np.int64),
        span=np.zeros(n),
    )


def standing(ages, *, now=SUNDAY, failed=(), phases=None, tried=None) -> Standing:
    n = len(ages)
    failures = np.zeros(n, np.int64)
    failures[list(failed)] = 1
    checked = now - np.array(ages, float)
    last = checked if tried is None else now - np.array(tried, float)
    return Standing(checked, checked, last, failures, np.arange(n) if phases is None else np.array(phases))


def well(checked) -> Standing:
    """Everybody's last check was good."""
    return Standing(checked, checked, checked, np.zeros(len(checked), np.int64), np.arange(len(checked)))


def pick(policy, ages, rates=None, *, budget=None, every=7.0, longest=90.0, now=SUNDAY, fresh=0.0, **more) -> Choice:
    own = activity(rates or [0.01] * len(ages), **{k: more.pop(k) for k in ("weekdays", "last") if k in more})
    return choose(policy, standing(ages, now=now, **more), own, now, Bounds(budget, every, longest, fresh))


ages_of = st.lists(st.one_of(st.floats(0, 200), st.just(float("nan"))), min_size=1, max_size=30)


@given(policy=st.sampled_from(list(POLICIES)), ages=ages_of, budget=st.integers(1, 40), seed=st.integers(0, 99))
def test_a_plan_is_within_its_budget_and_always_the_same(policy, ages, budget, seed):
    rates = np.random.default_rng(seed).gamma(0.6, 0.01, len(ages)) + 1e-6
    one, two = (pick(policy, ages, list(rates), budget=budget) for _ in range(2))
    assert list(one.order) == list(two.order)
    assert len(set(one.order)) == len(one.order) <= budget
    assert set(one.order) == set(np.flatnonzero(one.why >= Why.CEILING))


@given(
    n=st.integers(1, 40),
    budget=st.integers(1, 40),
    every=st.sampled_from([1.0, 7.0]),
    policy=st.sampled_from(["adaptive", "tiers", "sqrt", "miniflux"]),
    seed=st.integers(0, 99),
)
def test_no_artist_passes_the_longest_interval_where_the_budget_can_hold_it(n, budget, every, policy, seed):
    longest = max(smallest_interval(n, budget, every) + every, 28.0)
    rates = list(np.random.default_rng(seed).gamma(0.3, 0.02, n) + 1e-6)
    checked, now = np.full(n, SUNDAY - every), SUNDAY
    for _ in range(80):
        choice = choose(
            policy,
            well(checked),
            activity(rates),
            now,
            Bounds(budget, every, longest),
        )
        assert len(choice.order) <= budget
        assert (now - checked).max() <= longest
        checked[choice.order] = now
        now += every


def test_a_flat_budget_is_spent_in_full_every_run():
    ages = [7.0] * 50
    assert len(pick("adaptive", ages, budget=8).order) == 8


def test_among_equals_the_longest_waiting_come_first():
    assert list(pick("adaptive", [7, 21, 14], budget=2).order) == [1, 2]


def test_among_equally_old_the_busiest_come_first():
    assert list(pick("adaptive", [14, 14, 14], [0.001, 0.1, 0.02], budget=2).order) == [1, 2]


def test_an_artist_is_best_asked_just_after_its_likeliest_day():
    friday = [0.02] * 4 + [0.88, 0.02, 0.02]
    tuesday = [0.02, 0.88] + [0.02] * 5
    saturday_noon = SUNDAY - 1
    order = pick("adaptive", [4, 4], weekdays=[tuesday, friday], budget=1, now=saturday_noon).order
    assert list(order) == [1]
    wednesday_noon = SUNDAY + 3
    assert list(pick("adaptive", [4, 4], weekdays=[tuesday, friday], budget=1, now=wednesday_noon).order) == [0]


def test_artists_never_learnt_take_half_of_the_places():
    choice = pick("adaptive", [7.0] * 10 + [float("nan")] * 10, budget=6)
    assert sorted(choice.why[choice.order]) == [Why.UNLEARNT] * 3 + [Why.WORTH] * 3
    alone = pick("adaptive", [float("nan")] * 10, budget=6)
    assert len(alone.order) == 6


def test_failed_checks_have_their_place_but_not_all_of_it():
    choice = pick("adaptive", [7.0] * 20, budget=8, failed=range(4))
    assert list(choice.why[choice.order]).count(Why.FAILED) == 2
    most = pick("adaptive", [7.0] * 20, budget=8, failed=range(15))
    assert list(most.why[most.order]).count(Why.FAILED) == 6


def weekly(n, budget, weeks, failing, *, every=7.0, longest=90.0, unlearnt=0):
    """Run for a while, with some checks that never succeed; return how often each was asked, and the ages then."""
    checked, tried = np.full(n, SUNDAY - 7), np.full(n, SUNDAY - 7)
    checked[:unlearnt] = np.nan
    tried[:unlearnt] = np.nan
    failures, asked, now, bad = np.zeros(n, np.int64), np.zeros(n, int), SUNDAY, np.isin(np.arange(n), list(failing))
    for _ in range(weeks):
        state = Standing(checked, checked, tried, failures, np.arange(n))
        order = choose("adaptive", state, activity([0.01] * n), now, Bounds(budget, every, longest)).order
        asked[order] += 1
        tried[order] = now
        failures[order] = np.where(bad[order], failures[order] + 1, 0)
        checked[order[~bad[order]]] = now
        now += every
    return asked, now - checked, bad


def test_artists_that_always_fail_do_not_starve_the_others():
    _, ages, bad = weekly(30, 4, 60, range(4))
    assert ages[~bad].max() <= 90
    _, ages, bad = weekly(200, 20, 60, range(10))
    assert ages[~bad].max() <= 91


@pytest.mark.parametrize("unlearnt", [0, 5])
def test_one_that_always_fails_does_not_take_the_only_place_of_an_hourly_run(unlearnt):
    asked, ages, bad = weekly(50, 1, 24 * 60, [0], every=1 / 24, unlearnt=unlearnt)
    assert ages[~bad].max() < 7
    assert 8 <= asked[0] <= 24 * 60 / 4


def test_first_checks_that_fail_do_not_keep_others_from_being_learnt():
    _, ages, _ = weekly(100, 10, 52, range(5), unlearnt=100)
    assert np.isnan(ages).sum() == 5


def test_repeats_are_spread_among_the_others():
    choice = pick("adaptive", [7.0] * 100, budget=80, failed=range(20))
    repeats = choice.why[choice.order] == Why.FAILED
    assert repeats.sum() == 20
    assert not any(repeats[at] and repeats[at + 1] for at in range(len(repeats) - 1))


def test_a_failed_check_is_repeated_by_the_next_run_then_less_and_less_often():
    def asked_after(days, failures):
        state = standing([40.0] + [1.0] * 7, tried=[days] + [1.0] * 7)
        state.failures[0] = failures
        return 0 in choose("adaptive", state, activity([0.01] * 8), SUNDAY, Bounds(4, 1.0, 90.0)).order

    assert asked_after(0.1, 1)
    assert not asked_after(1, 3)
    assert asked_after(3, 3)
    assert asked_after(7, 50)


def test_what_a_prefetch_took_leaves_the_ceiling_of_later_runs_alone():
    ages = np.full(60, 21.0)
    bounds = Bounds(20, 7.0, 90.0, room=4, most=20)
    choice = choose("adaptive", standing(ages), activity([0.01] * 60), SUNDAY, bounds)
    assert list(choice.why[choice.order]) == [Why.WORTH] * 4
    assert not len(
        choose("adaptive", standing(ages), activity([0.01] * 60), SUNDAY, Bounds(20, 7.0, 90.0, 0.0, 0)).order
    )


def test_among_the_overdue_the_busiest_come_first():
    choice = pick("adaptive", [210.0] * 3, [0.001, 0.1, 0.02], budget=2)
    assert list(choice.order) == [1, 2]


def test_tiers_do_not_ask_again_whom_a_prefetch_asked_on_the_eve():
    monday = SUNDAY + 1
    state = Standing(np.array([SUNDAY]), np.array([SUNDAY - 6]), np.array([SUNDAY]), np.array([0]), np.array([0]))
    taken = Standing(state.checked, np.array([monday - 0.3]), state.tried, state.failures, state.phase)
    own = activity([0.01], last=[SUNDAY - 10])
    assert list(choose("tiers", state, own, monday, Bounds(None, 1, 90)).order) == [0]
    assert list(choose("tiers", taken, own, monday + 1, Bounds(None, 1, 90)).order) == []


def test_the_ceiling_comes_before_everything():
    choice = pick("adaptive", [88, 7, 7], [1e-6, 0.5, 0.5], budget=1)
    assert list(choice.order) == [0]
    assert choice.why[0] == Why.CEILING


def test_what_was_asked_a_moment_ago_is_left_alone():
    choice = pick("all", [0.1, 3.0], fresh=0.5)
    assert list(choice.order) == [1]
    assert choice.why[0] == Why.FRESH


def test_tiers_ask_the_active_weekly_and_the_inactive_every_twelfth_week():
    last = [SUNDAY - 10, SUNDAY - 100, SUNDAY - 200, SUNDAY - 1000]
    counts, checked, now = np.zeros(4, int), np.full(4, SUNDAY - 7), SUNDAY
    for _ in range(12):
        moved = activity([0.01] * 4, last=[day + now - SUNDAY for day in last])
        choice = choose("tiers", well(checked), moved, now, Bounds(None, 7, 90))
        counts[choice.order] += 1
        checked[choice.order] = now
        now += 7
    assert list(counts) == [12, 6, 3, 1]


def test_tiers_do_not_come_all_at_once():
    n = 120
    checked, now, sizes = np.full(n, SUNDAY - 7), SUNDAY, []
    for _ in range(12):
        own = activity([0.0001] * n, last=[now - 1000] * n)
        choice = choose("tiers", well(checked), own, now, Bounds(None, 7, 90))
        sizes.append(len(choice.order))
        checked[choice.order] = now
        now += 7
    assert set(sizes) == {10}


def test_a_clock_that_went_back_makes_no_one_older():
    choice = pick("adaptive", [-30.0, 7.0], budget=1)
    assert list(choice.order) == [1]


def test_an_unknown_policy_and_a_budget_of_nothing_are_refused():
    with pytest.raises(UsageError, match="adaptive, tiers"):
        pick("best", [7.0])
    with pytest.raises(UsageError, match="1 or more"):
        pick("adaptive", [7.0], budget=0)


def test_the_smallest_interval_that_a_budget_holds():
    assert smallest_interval(500, 40, 7.0) == 91.0


def test_tiers_ask_once_in_a_turn_however_often_runs_come():
    n = 24
    checked, now, asked = np.full(n, SUNDAY - 7), SUNDAY + 1, np.zeros(n, int)  # twelve weeks from a Monday
    for _ in range(84):
        own = activity([0.01] * n, last=[now - 10] * (n // 2) + [now - 1000] * (n // 2))
        choice = choose("tiers", well(checked), own, now, Bounds(None, 1, 90))
        asked[choice.order] += 1
        checked[choice.order] = now
        now += 1
    assert set(asked[: n // 2]) == {12}
    assert set(asked[n // 2 :]) == {1}
