"""``freshwax plan``: whom the next ``track --smart-batch`` would ask, in which order, and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from freshwax import app
from freshwax.cli import output, pick
from freshwax.cli.profile import profiles
from freshwax.cli.setup import Setup
from freshwax.cli.stories import UNASKED
from freshwax.cli.track import POLICIES
from freshwax.cli.values import ArtistText, Number
from freshwax.config import Config
from freshwax.errors import UsageError
from freshwax.model import Artist, ArtistState
from freshwax.reports.escape import brief
from freshwax.reports.plans import PLAN, Planned, expectation, failed, name, plan_summary, profile_words
from freshwax.reports.words import ago, clock_time, count
from freshwax.store.base import Store

if TYPE_CHECKING:
    from freshwax.planning.activity import Frequency
    from freshwax.planning.batch import Batch, Place
    from freshwax.tracking.options import RunOptions


class Outlook(Struct, frozen=True, eq=False):
    """A plan, and what it was made from."""

    batch: Batch
    options: RunOptions
    now: datetime


@click.command("plan")
@click.option(
    "--policy", type=click.Choice(POLICIES), default=POLICIES[0], show_default=True, help="As with `track`: who picks."
)
@click.option("--budget", type=Number(1), metavar="N", help="As with `track`: at most N requests.")
@click.option("--explain", type=ArtistText(), metavar="ARTIST", help="Say why that artist is, or is not, picked.")
@output.list_format
@click.pass_obj
def command(setup: Setup, /, policy: str, budget: int | None, explain: str | None, format_: str | None) -> None:
    """Show whom the next `track --smart-batch` would ask, in that order, and why. Nothing is asked.

    With the same --policy and --budget the run takes this very plan, if it begins now.
    """
    with app.open_store(setup.config, read_only=True) as store:
        outlook = look(store, setup.config, policy, budget)
        if explain is not None:
            _explain(setup, store, outlook, explain, format_)
            return
        notes = list(_notes(store, outlook))
    picks = outlook.batch.picks
    output.print_list([_row(one, at, outlook) for at, one in enumerate(picks, 1)], PLAN, format_, outlook.now)
    for line in notes:
        setup.say(line)


def look(store: Store, config: Config, policy: str, budget: int | None) -> Outlook:
    """Return the plan of a run that would begin now. UsageError for an empty watch list."""
    from freshwax.tracking.plan import smart_batch

    now = app.now()
    options = app.run_options(config, app.TrackOptions(budget=budget, policy=policy))
    artists = store.artists({ArtistState.ACTIVE, ArtistState.GONE}, groups=options.groups)
    if not artists:
        raise UsageError(app.NOBODY)
    return Outlook(smart_batch(store, artists, now, options), options, now)


def _row(place: Place, at: int | None, outlook: Outlook) -> Planned:
    return Planned(
        place=at,
        artist=place.artist,
        reason=place.why.name.lower(),
        words=_words(place, outlook),
        score=place.score,
        rate=place.rate,
        expected=place.expected,
    )


def _words(place: Place, outlook: Outlook) -> str:
    """Say why an artist is picked, or left out."""
    from freshwax.planning.policies import Why

    options, artist = outlook.options, place.artist
    tiers = options.policy == "tiers"
    worth = "its turn has come" if tiers else f"{expectation(place.expected or 0.0)} since its last check"
    later = (
        "its turn has not come, or the budget goes to those whose turn came before" if tiers else _outbid(outlook.batch)
    )
    if place.expected is None:
        later = "its history is not known yet, but others have waited longer for theirs"
    elif artist.checked_at and outlook.now - artist.checked_at > options.max_interval:
        later = f"it waits for more than {count(options.max_interval.days, 'day')}, but so do those before it"
    return {
        Why.CEILING: f"nobody is to wait longer than {count(options.max_interval.days, 'day')}",
        Why.UNLEARNT: "its history is not known yet",
        Why.FAILED: failed(artist),
        Why.FRESH: f"it was checked less than {count(options.fresh_for // timedelta(hours=1), 'hour')} ago",
        Why.LATER: later,
        Why.WORTH: worth,
    }[place.why]


def _outbid(batch: Batch) -> str:
    """Say what became of the budget where an artist that is picked by score is not picked."""
    from freshwax.planning.policies import Why

    if not batch.picks:
        return "the runs before have made all the checks that there is room for at the moment"
    if all(one.why is not Why.WORTH for one in batch.picks):
        return "the budget goes to artists who come before any score: first checks, repeats, and who waited longest"
    return "the budget goes to artists for whom waiting costs more"


def _notes(store: Store, outlook: Outlook) -> Iterator[str]:
    """Say what the plan costs and leaves, and what stands in its way."""
    from freshwax.tracking.plan import used_today

    batch, options, now = outlook.batch, outlook.options, outlook.now
    active = len(batch.picks) + len(batch.skipped)
    requests = batch.cost + len(batch.gone)
    yield plan_summary(
        picked=len(batch.picks),
        active=active,
        requests=requests,
        oldest=batch.oldest,
        unchecked=sum(one.artist.checked_at is None for one in batch.skipped),
        now=now,
    )
    if batch.gone:
        yield f"Among them is a look for {count(len(batch.gone), 'artist')} that the service no longer had."
    if options.budget is not None and requests > options.budget:
        yield f"A budget of {count(options.budget, 'request')} may end the run before the last of them."
    if options.per_day is not None:
        left = max(options.per_day - used_today(store, app.SOURCE, now), 0)
        if left < requests:
            yield f"The quota of a day has room for {count(left, 'request')} now: the run would end there."
    if batch.warning:
        yield f"{batch.warning.rstrip('.')}."
    cooldown = app.pause(store, now)
    if cooldown is not None:
        yield f"{cooldown.source.title()} is paused until {clock_time(cooldown.until, now)} ({cooldown.reason})."


# -- one artist ------------------------------------------------------------------------------------------------------


def _explain(setup: Setup, store: Store, outlook: Outlook, text: str, format_: str | None) -> None:
    """Print why one artist is picked or not: sentences, or its row of the plan in a format that was asked for."""
    artist = pick.artist(store, text)
    if artist.state in UNASKED:
        raise UsageError(f"{brief(name(artist))} is in no plan: {UNASKED[artist.state]}")
    at, place = _find(outlook.batch, artist)
    if format_ is not None:
        output.print_list([_row(place, at, outlook)], PLAN, format_, outlook.now)
        return
    profile = next(one for one in profiles(store, setup.config, outlook.now) if one.artist.ref == artist.ref)
    lines = [_verdict(place, at, outlook), profile_words(profile), _since(place, outlook.now)]
    lines += [_tier(profile.release_frequency)] if outlook.options.policy == "tiers" else []
    output.write_text("\n".join([*lines, *_comparison(place, at, outlook.batch)]) + "\n")


def _find(batch: Batch, artist: Artist) -> tuple[int | None, Place]:
    for at, one in enumerate(batch.picks, 1):
        if one.artist.ref == artist.ref:
            return at, one
    return None, next(one for one in batch.skipped if one.artist.ref == artist.ref)


def _verdict(place: Place, at: int | None, outlook: Outlook) -> str:
    who, why = brief(name(place.artist)), _words(place, outlook)
    if at is None:
        return f"{who} would not be asked by the next run: {why}."
    return f"{who} would be asked by the next run, as number {at:,} of {len(outlook.batch.picks):,}: {why}."


def _since(place: Place, now: datetime) -> str:
    artist = place.artist
    if artist.checked_at is None or place.expected is None:
        return "It was never checked to the end."
    last = f"Its last good check was {ago(min(artist.checked_at, now), now)}"
    return f"{last}; {expectation(place.expected)} since then."


def _tier(frequency: Frequency) -> str:
    from freshwax.planning.activity import Frequency
    from freshwax.planning.policies import TIERS

    weeks = dict(zip(Frequency, TIERS, strict=True))[frequency]
    return f"Tiers ask artists of {frequency} activity every {count(weeks, 'week') if weeks > 1 else 'week'}."


def _comparison(place: Place, at: int | None, batch: Batch) -> Iterator[str]:
    """Hold the score against that of the last pick that was made by score."""
    from freshwax.planning.policies import Why

    if place.expected is None:
        return
    by_score = [one for one in batch.picks if one.why is Why.WORTH]
    score = f"Its score is {place.score:.3g}"
    if not by_score:
        yield f"{score}; nobody is picked by score in this run."
    elif at is not None:
        yield f"{score}; the last that is picked by score has {by_score[-1].score:.3g}."
    else:
        before = [one.artist.ref for one in batch.skipped].index(place.artist.ref)
        others = f", and {count(before, 'artist')} left out as well come before it" if before else ", and it is next"
        yield f"{score}; the last that is picked by score has {by_score[-1].score:.3g}{others}."
