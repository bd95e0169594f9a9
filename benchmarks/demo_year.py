"""A year of weekly runs over an invented world in which half the artists have more than nine albums.

Albums are swapped, releases withdrawn, listed late or anew, doubled, shared. What a run tells late, or never, is put
into a class from the world alone: what no probe can see is excused (docs/how-it-works.md), the rest is a bug. A week
after the year, an audit reads everything: what is still lost then has gone before.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

from _judge import Judgement, judge
from _table import costs, fact, headline, outcome, say, verdict
from _trial import WEEK, Row, WatchedTrial, watched
from freshwax.demo.generate import generate
from freshwax.demo.world import WorldRelease
from freshwax.model import Group, Ref, Silence

START = datetime(2026, 3, 1, 18, tzinfo=UTC)  # a Sunday evening
PAGE = 10
TURN = 4  # every fourth probe reads the album head

SWAP = "an album for another: seen at its turn"
DEEP_SWAP = "as many came as went: seen by the audit"
UNREAD = "deeper than the list was ever read"
QUOTA = "the quota put the check off"
DEPTH = "the quota put off the depth that it lies in"
BUG = "NOT EXCUSED"
STALE = "old, but told as new"


def main() -> int:
    options = _options()
    headline()
    return max(_year(seed, options) for seed in options.seed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--artists", type=int, default=500)
    parser.add_argument("--weeks", type=int, default=52)
    parser.add_argument("--seed", type=int, nargs="+", default=[1])
    parser.add_argument("--busy-share", type=float, default=0.5, help="artists with more than nine albums")
    parser.add_argument("--quota", type=int, default=0, help="requests in a rolling day; 0: any number")
    parser.add_argument("--all", action="store_true", help="list everything late or lost, by class")
    return parser.parse_args()


def _year(seed: int, options: argparse.Namespace) -> int:
    started = time.monotonic()
    last = START + options.weeks * WEEK
    end = last + timedelta(days=1)
    world = generate(seed, artists=options.artists, start=START, end=end, busy_share=options.busy_share)
    with watched(world, START, options.quota or None) as trial:
        trial.live(START, last)
        judged = judge(trial)
        late = [(one, explain(trial, judged, one)) for one in judged.late]
        lost = [(one, explain(trial, judged, one)) for one in judged.lost]
        rows = tuple(trial.rows)
        audit = audited(trial, last + WEEK)
        after = judge(trial)
        trial.rows = list(rows)
        say(f"seed {seed}: {len(world.artists)} artists, {len(world.releases):,} releases, {options.weeks} weeks")
        say()
        result = _show(trial, judged, (late, lost), after, audit)
    say(f"  ({time.monotonic() - started:.0f} seconds)")
    say()
    if options.all:
        _list(trial, judged, late + lost + [(one, STALE) for one in judged.stale])
    return result


def audited(trial: WatchedTrial, at: datetime) -> Row:
    """Read every list to its end once, whatever it costs."""
    trial.lift_quota()
    return trial.step(at, regular=True, audit_interval=timedelta(0))


def explain(trial: WatchedTrial, judged: Judgement, truth: str) -> str:
    """Why the run that should have told a release did not, by what the lists showed then and a week before."""
    at = judged.expected[truth]
    shown = [one for one in trial.world.releases if one.truth == truth and one.listed_at(at)]
    return min((_class_of(trial, judged, one, artist, at) for one in shown for artist in one.artists), key=_severity)


def _severity(found: str) -> int:
    """A release that several artists show had several chances: the one least excused counts."""
    return (BUG, QUOTA, DEPTH, SWAP, DEEP_SWAP, UNREAD).index(found)


def _class_of(trial: WatchedTrial, judged: Judgement, release: WorldRelease, artist: str, at: datetime) -> str:
    told = judged.told.get(release.truth)
    checks = _checks(trial, artist)
    if at not in checks:
        return QUOTA
    story = trial.store.story(Ref("spotify", release.id))
    decided = [known for who, known in story.decided if who.ref.id == artist] if story else []
    if any(known.silence is Silence.HORIZON for known in decided):
        return UNREAD
    before = max((one for one in checks if one < at), default=trial.learnt_at[artist])
    group = Group(release.type)
    old, new = trial.world.listing(artist, group, before), trial.world.listing(artist, group, at)
    ids_before, ids_now = {one.id for one in old}, {one.id for one in new}
    window = _window(trial, artist, before, at)
    visible = [one for one in window if one.group_for(artist) is group and one.id not in ids_before]
    balanced = len(ids_now - ids_before) > 0 and len(new) <= len(old) + len(visible)
    head = new[:PAGE] if group is Group.ALBUM else window
    deep = release not in head
    if not balanced:
        return DEPTH if deep and trial.quota else BUG
    turns = [one for one in checks if one > at][: TURN - 1]
    seen_in_turn = told is not None and told[0] <= (turns[-1] if turns else at)
    if group is Group.ALBUM and not deep:
        still_to_come = told is None and len(turns) < TURN - 1
        return SWAP if seen_in_turn or still_to_come else BUG
    return DEEP_SWAP


def _window(trial: WatchedTrial, artist: str, before: datetime, at: datetime) -> list[WorldRelease]:
    """The page that a probe asks for: where the singles began when the artist was last checked."""
    world, pair = trial.world, (Group.ALBUM, Group.SINGLE)
    albums, total = len(world.listing(artist, Group.ALBUM, before)), len(world.listings(artist, pair, before))
    offset = albums - 1 if albums >= PAGE and total > PAGE else 0
    return world.listings(artist, pair, at)[offset : offset + PAGE]


def _checks(trial: WatchedTrial, artist: str) -> list[datetime]:
    """When an artist was checked."""
    ref = Ref("spotify", artist)
    done = {run.at for run in trial.rows for check in trial.outcomes(run) if check == ref}
    return sorted(done)


def _show(
    trial: WatchedTrial,
    judged: Judgement,
    explained: tuple[list[tuple[str, str]], list[tuple[str, str]]],
    after: Judgement,
    audit: Row,
) -> int:
    late, lost = explained
    outcome(judged)
    fact("came and went between two runs", len(judged.passed))
    fact("told at the learning, as recent", judged.at_learning)
    say()
    for title, entries in (("late", late), ("lost", lost)):
        for why, count in Counter(why for _, why in entries).most_common():
            say(f"  {title}: {why:<48}{count:>6}")
    say()
    costs(trial)
    say()
    left = [one for one in judged.lost if one not in after.told]
    silent = {one for one, why in lost if why == UNREAD}
    gone = {one for one in left if not _listed(trial, one, audit.at)}
    fact("the audit: requests", audit.run.cost.requests)
    fact("lost that it tells", len(judged.lost) - len(left))
    fact("lost for good: gone before", len(gone - silent))
    fact("lost for good: learnt silently", len(silent & set(left)))
    stay = set(left) - silent - gone
    excused = all(why != BUG for _, why in (*late, *lost))
    return verdict(
        (
            ("nothing told twice, nothing old told as new", not judged.twice and not judged.stale and not after.twice),
            ("whatever is late or lost is what no probe can see", excused),
            ("after an audit nothing that is listed is lost", not stay),
        )
    )


def _listed(trial: WatchedTrial, truth: str, at: datetime) -> bool:
    return any(one.truth == truth and one.listed_at(at) for one in trial.world.releases)


def _list(trial: WatchedTrial, judged: Judgement, explained: list[tuple[str, str]]) -> None:
    for truth, why in sorted(explained, key=lambda one: one[1]):
        release = next(one for one in trial.world.releases if one.truth == truth)
        told = judged.told.get(truth)
        say(f"  {why}: {release.type} {release.id} of {release.artists[0]}, dated {release.date.value},")
        say(
            f"    due {judged.expected.get(truth, judged.base.get(truth)):%Y-%m-%d}, "
            + (f"told {told[0]:%Y-%m-%d}" if told else "not told")
        )


if __name__ == "__main__":
    sys.exit(main())
