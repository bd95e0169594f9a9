"""Artists learnt under a daily quota: as many days as the requests need, and no request's work lost."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime, timedelta

from _table import headline, say, verdict
from _trial import BASELINE, Row, watched
from freshwax.demo.generate import generate
from freshwax.demo.world import World

START = datetime(2026, 3, 1, 18, tzinfo=UTC)
SEED = "learning"


def main() -> int:
    options = _options()
    headline()
    end = START + timedelta(days=options.days + 1)
    world = generate(SEED, artists=options.artists, start=START, end=end, busy_share=options.busy_share)
    free, _ = _learn(world, None, options.days)
    needed = free[0].purposes[BASELINE]
    say(f"{options.artists} artists, learnt at once with {needed:,} requests")
    checks = []
    for quota in options.quota:
        rows, told = _learn(world, quota, options.days)
        _show(quota, rows)
        days, spent = len(rows), sum(row.purposes[BASELINE] for row in rows)
        least = -(-needed // quota)
        most = max(row.run.cost.requests for row in rows)
        checks += [
            (f"{quota} a day: learnt in {least} days, the least there can be (took {days})", days == least),
            (f"{quota} a day: {needed:,} requests in all (took {spent:,})", spent == needed),
            (f"{quota} a day: never more in a day (at most {most})", most <= quota),
            (f"{quota} a day: nothing told twice", told),
        ]
    return verdict(checks)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artists", type=int, default=500)
    parser.add_argument("--quota", type=int, nargs="+", default=[200, 580], help="requests in a rolling day")
    parser.add_argument("--busy-share", type=float, default=0.5, help="artists with more than nine albums")
    parser.add_argument("--days", type=int, default=30, help="give up after so many")
    return parser.parse_args()


def _learn(world: World, quota: int | None, days: int) -> tuple[list[Row], bool]:
    """Run daily until everybody is learnt; return the runs, and whether no release was told twice."""
    with watched(world, START, quota) as trial:
        trial.learn(START, days)
        told = [line.release.ref for row in trial.rows for line in row.report.lines]
        return trial.rows, len(told) == len(set(told))


def _show(quota: int, rows: list[Row]) -> None:
    say()
    say(f"  {f'{quota} a day':<12}{'checked':>9}{'left':>7}{'requests':>10}{'told':>7}  what the report says")
    for row in rows:
        seen, spent = row.run.coverage, row.run.cost.requests
        note = next((one for one in row.report.notes if "learnt" in one), row.run.status.value)
        say(
            f"  {row.at:%d %B}{'':<3}"[:14].ljust(14)
            + f"{seen.checked:>9}{seen.paused:>7}{spent:>10}{len(row.report.lines):>7}"
        )
        say(f"      {note}"[:80])


if __name__ == "__main__":
    sys.exit(main())
