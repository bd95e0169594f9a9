"""``freshwax replay``: what asking less would cost in delay, over histories that are known."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from freshwax import app
from freshwax.cli import output
from freshwax.cli.setup import Setup
from freshwax.cli.values import Day, Number
from freshwax.errors import UsageError
from freshwax.reports.columns import Column

if TYPE_CHECKING:
    from freshwax.replay.compare import Case
    from freshwax.replay.scores import Scores

POLICIES = "adaptive,tiers,rotation,all"
BUDGETS = "40,80,160"
_EVERY = re.compile(r"([1-9][0-9]{0,2})([dh])")
_WORLD = re.compile(r"(demo|heavy)(?::([1-9][0-9]{0,5}))?")


class Every(click.ParamType[float]):
    """A time between runs: ``7d``, ``1d``, ``1h``."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the time, in days."""
        found = _EVERY.fullmatch(str(value))
        if not found:
            self.fail(f"{value!r} is not a time between runs; write it as 7d, 1d or 1h.", param, ctx)
        return int(found[1]) / (24 if found[2] == "h" else 1)


class Budgets(click.ParamType[tuple[int | None, ...]]):
    """Checks a run, several with commas between; ``tiers`` (None): what tiers spend."""

    name = "N,N…"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int | None, ...]:
        """Read the budgets."""
        number = Number(1)
        parts = [part.strip() for part in str(value).split(",")]
        return tuple(dict.fromkeys(None if part == "tiers" else number.convert(part, param, ctx) for part in parts))


class Policies(click.ParamType[tuple[str, ...]]):
    """Names of policies with commas between."""

    name = "POLICY,…"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Read the names; which there are is known to the planner, which is imported only here."""
        from freshwax.replay.fast import REPLAYED

        names = tuple(dict.fromkeys(part.strip() for part in str(value).split(",")))
        for name in names:
            if name not in REPLAYED:
                self.fail(f"There is no policy {name!r}; there are {', '.join(REPLAYED)}.", param, ctx)
        return names


def _rounded(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)


def _cell(key: str, heading: str, value: Callable[[Scores], float | None]) -> Column[Scores]:
    def shown(one: Scores, _: object) -> str:
        number = value(one)
        return "" if number is None else f"{number:.2f}"

    return Column(key, lambda one: _rounded(value(one), 4), heading, right=True, shown=shown)


COLUMNS: tuple[Column[Scores], ...] = (
    Column("policy", lambda one: one.policy, "policy"),
    Column("budget", lambda one: one.budget, "budget", right=True),
    Column("every_days", lambda one: _rounded(one.every, 4)),
    Column("runs", lambda one: one.runs),
    Column("requests", lambda one: one.checks),
    Column(
        "requests_a_week",
        lambda one: _rounded(one.weekly),
        "a week",
        right=True,
        shown=lambda one, _: f"{one.weekly:,.1f}",
    ),
    Column("peak_week", lambda one: one.peak),
    _cell("peak_to_mean", "peak", lambda one: one.unevenness),
    _cell("delay_mean_days", "delay", lambda one: one.delay.mean),
    _cell("delay_p50_days", "50 %", lambda one: one.delay.p50),
    _cell("delay_p90_days", "90 %", lambda one: one.delay.p90),
    _cell("delay_p99_days", "99 %", lambda one: one.delay.p99),
    _cell("in_first_run", "1st run", lambda one: one.in_first_run),
    Column(
        "longest_gap_days",
        lambda one: _rounded(one.longest_gap),
        "gap",
        right=True,
        shown=lambda one, _: f"{one.longest_gap:.0f}",
    ),
    Column("releases", lambda one: one.releases),
    Column("vanished", lambda one: one.vanished),
    Column("lost", lambda one: one.lost, "lost", right=True),
    Column("repeated", lambda one: one.repeated, "twice", right=True),
)


@click.command("replay")
@click.option("--data", type=click.Path(path_type=Path), metavar="FILE", help="A CSV of releases (may be gzipped).")
@click.option("--world", metavar="demo|heavy[:N]", help="An invented world, of N artists.")
@click.option("--mine", is_flag=True, help="Your own artists, as far as their history is known.")
@click.option(
    "--artists", type=click.Path(path_type=Path), metavar="FILE", help="With --data: only the artist_id in this CSV."
)
@click.option(
    "--complete-before", type=Day(), help="With --artists: only those whose history is complete from that day."
)
@click.option("--policy", "policies", type=Policies(), default=POLICIES, show_default=True, help="Who decides.")
@click.option(
    "--budget",
    "budgets",
    type=Budgets(),
    default=BUDGETS,
    show_default=True,
    help="Checks a run; `tiers`: what tiers spend. tiers and all spend what they spend.",
)
@click.option("--every", type=Every(), default="7d", show_default=True, help="Time between runs: 7d, 1d, 1h.")
@click.option("--start", type=Day(), help="First run, at noon UTC; what appeared before is learnt.")
@click.option("--end", type=Day(), help="The day that ends the replay.")
@click.option(
    "--max-interval",
    type=Number(1),
    help="Days without a check, at most. Default: 90, or more where a budget needs it.",
)
@click.option("--seed", type=Number(0), default=1, show_default=True, help="Of the invented world, and of failures.")
@click.option("--fail", type=float, default=0.0, metavar="SHARE", help="So many of the checks fail: 0.05 is 5 %.")
@click.option("--shuffle", is_flag=True, help="Make the checks of a run in an order of chance.")
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE", help="Write a plot (SVG) there, too.")
@output.list_format
@click.pass_obj
def command(setup: Setup, /, *, plot: Path | None, format_: str | None, **options: Any) -> None:
    """Replay months of runs in seconds: how many requests a policy takes, and how late it tells.

    A policy sees only what its own checks found. Delays are days from when a release appeared until it was told.
    """
    from freshwax.replay.compare import compare
    from freshwax.replay.fast import MAX_INTERVAL, ORACLE

    case = _case(setup, options)
    with _progress(setup) as tell:
        found = compare(case, options["policies"], options["budgets"], tell)
    output.print_list(found, COLUMNS, format_, app.now())
    for budget in sorted({one.budget for one in found if one.budget is not None and one.policy != ORACLE}):
        if case.longest(budget) > MAX_INTERVAL:
            setup.say(
                f"{budget} checks a run come round all {len(case.timeline.names):,} artists in "
                f"{case.longest(budget):.0f} days only: that, not {MAX_INTERVAL:.0f}, is their longest interval here."
            )
    if plot is not None:
        from freshwax.replay.plot import plot as draw

        output.write_file(plot, draw(found, f"{case.title}, a run every {_words(case.every)}"))


def _case(setup: Setup, options: dict[str, Any]) -> Case:
    from freshwax.replay.compare import Case
    from freshwax.replay.timeline import day_number

    sources = [options["data"] is not None, options["world"] is not None, options["mine"]]
    if sum(sources) != 1:
        raise click.UsageError("Give one of --data FILE, --world demo|heavy[:N] and --mine.")
    if options["artists"] and options["data"] is None:
        raise click.UsageError("--artists goes with --data.")
    if options["complete_before"] and options["artists"] is None:
        raise click.UsageError("--complete-before goes with --artists.")
    timeline, title, (first, last) = _source(setup, options)
    start = day_number(options["start"]) if options["start"] else first
    end = day_number(options["end"]) + 1.0 if options["end"] else last
    return Case(
        timeline,
        title,
        start=start,
        end=end,
        every=options["every"],
        max_interval=float(options["max_interval"]) if options["max_interval"] else None,
        fail=options["fail"],
        shuffle=options["shuffle"],
        seed=options["seed"],
    )


def _source(setup: Setup, options: dict[str, Any]) -> tuple[Any, str, tuple[float, float]]:
    """Return the timeline, its name for people, and the days from which and until when it is replayed by default."""
    from freshwax.replay import compare

    if options["data"] is not None:
        timeline = compare.recorded(options["data"], options["artists"], options["complete_before"])
        return timeline, options["data"].name, compare.last_year(timeline)
    if options["mine"]:
        return _mine(setup)
    world = _WORLD.fullmatch(options["world"])
    if not world:
        raise click.UsageError(f"There is no world {options['world']!r}; there are demo, heavy, demo:N and heavy:N.")
    timeline, years = compare.invented(world[1], options["seed"], int(world[2]) if world[2] else None)
    return timeline, f"{world[1]}, {len(timeline.names):,} artists", years


def _mine(setup: Setup) -> tuple[Any, str, tuple[float, float]]:
    from freshwax.model import ArtistState
    from freshwax.replay.timeline import day_number, from_history

    with app.open_store(setup.config, read_only=True) as store:
        artists = [one for one in store.artists({ArtistState.ACTIVE}) if one.learnt]
        if not artists:
            raise UsageError("No artist was learnt yet: `freshwax track` once, then ask again.")
        history = store.history(artists)
    if not len(history.day):
        raise UsageError("No release of your artists is known with a date: there is nothing to replay.")
    shallow = sum(one.history_incomplete for one in artists)
    if shallow:
        setup.say(
            f"Of {shallow:,} of {len(artists):,} artists not the whole history is known yet: they seem quieter than "
            "they were."
        )
    today = app.now().date()
    return from_history(history), "my artists", (day_number(today - timedelta(weeks=52)), day_number(today))


def _words(every: float) -> str:
    return f"{every:g} days" if every > 1 else "day" if every == 1 else f"{every * 24:g} h"


@contextmanager
def _progress(setup: Setup) -> Iterator[Callable[[int, int, str], None] | None]:
    if setup.quiet or not sys.stderr.isatty():
        yield None
        return
    from freshwax.cli.progress import bar

    with bar("Replay") as tell:  # of a finished bar it would say what a finished run does next
        yield lambda done, total, name: tell(min(done, total - 1), total, name)
