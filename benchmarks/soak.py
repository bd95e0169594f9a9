"""Ten years of weekly runs in one process: does it hold more, or more open files, the longer it runs?

The process that is measured does nothing but run freshwax (real client, real HTTP, SQLite, every report format) under a
clock that moves on by a week. The stand-in server is another process, and so is this one, which knows the world and
holds what was told against it at the end.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any

from _process import server
from _table import fact, headline, say, verdict
from freshwax.demo.generate import generate
from freshwax.demo.world import World
from freshwax.model import DEFAULT_GROUPS, Kind

START = datetime(2026, 3, 1, 18, tzinfo=UTC)  # a Sunday evening
WEEK = timedelta(weeks=1)
BLOCKS = 5
GROWTH = 0.05
SEED = "soak"
MB = 1e6


def main() -> int:
    options = _options()
    headline()
    end = START + (options.weeks + 1) * WEEK
    world = generate(SEED, artists=options.artists, start=START.date(), end=end.date())
    with TemporaryDirectory(prefix="freshwax-soak-") as name:
        folder = Path(name)
        (folder / "artists.txt").write_text("\n".join(world.artists), "utf-8")
        span = ("--start", f"{START:%Y-%m-%d}", "--end", f"{end:%Y-%m-%d}", "--at", f"{START:%Y-%m-%d}")
        with server("--seed", SEED, "--artists", str(options.artists), *span) as running:
            weeks = list(_lived(folder, running.url, options.weeks))
        told = _told(folder, world)
    return _show(world, weeks, told)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weeks", type=int, default=500)
    parser.add_argument("--artists", type=int, default=100)
    return parser.parse_args()


def _lived(folder: Path, url: str, weeks: int) -> Iterator[dict[str, Any]]:
    """What the process said after each week."""
    script = Path(__file__).with_name("_soaker.py")
    command = [sys.executable, str(script), str(folder), url, START.isoformat(), str(weeks)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield json.loads(line)
    if process.returncode:
        raise SystemExit(f"it ended with exit code {process.returncode}")


def _told(folder: Path, world: World) -> dict[str, list[int]]:
    """The weeks in which each release of the world was told."""
    truth_of = {one.id: one.truth for one in world.releases}
    told: dict[str, list[int]] = {}
    for line in (folder / "told.txt").read_text("utf-8").splitlines():
        week, release, kind = line.split()
        if kind != Kind.UPCOMING:
            told.setdefault(truth_of[release], []).append(int(week))
    return told


@dataclass(frozen=True, slots=True)
class Judged:
    """By the week of the run at which a list first showed it: what was never told though it is still listed at the end
    (``lost``), what was withdrawn without having been told (``passed``: a probe need not have met it), what was told
    more than once.
    """

    appeared: dict[str, int]
    lost: list[str]
    passed: list[str]
    twice: list[str]


def judge(world: World, told: dict[str, list[int]], weeks: int) -> Judged:
    """Hold what was told against what the lists showed; what the first run saw is learnt, not expected."""
    instants = [START + week * WEEK for week in range(weeks)]
    seen = list(world.truth_seen(world.artists, instants).values())
    appeared = {truth: week for week, truths in enumerate(seen) if week for truth in truths}
    last = {one.truth for artist in world.artists for one in world.listings(artist, DEFAULT_GROUPS, instants[-1])}
    missing = [truth for truth in appeared if truth not in told]
    twice = [truth for truth, when in told.items() if len(when) > 1]
    return Judged(appeared, [one for one in missing if one in last], [one for one in missing if one not in last], twice)


def _show(world: World, weeks: list[dict[str, Any]], told: dict[str, list[int]]) -> int:
    judged = judge(world, told, len(weeks))
    size = max(len(weeks) // BLOCKS, 1)
    blocks = [range(start, min(start + size, len(weeks))) for start in range(0, len(weeks), size)][:BLOCKS]
    say(f"{len(world.artists)} artists, {len(world.releases):,} releases, {len(weeks)} weeks in one process")
    say()
    say(f"  {'weeks':<10}{'MB':>8}{'heap':>8}{'objects':>10}{'files':>7}{'db, MB':>8}{'new':>7}{'lost':>6}{'twice':>7}")
    for block in blocks:
        say(_row(block, weeks, judged, told))
    say()
    fact("releases that appeared", len(judged.appeared))
    fact("told in the first run after", sum(told.get(one, [-1])[0] == week for one, week in judged.appeared.items()))
    fact("told later", sum(told.get(one, [-1])[0] > week for one, week in judged.appeared.items()))
    fact("listed at a run, withdrawn untold", len(judged.passed))
    fact("checks that failed: a list gone empty", sum(len(week["failed"]) for week in weeks))
    fact("requests", sum(week["requests"] for week in weeks))
    early, late = (
        mean(weeks[week]["memory"] for week in block) for block in (blocks[min(1, len(blocks) - 1)], blocks[-1])
    )
    handles = {week["files"] for week in weeks[1:]} or {0}
    fact("memory, last weeks against the second", f"{late / early - 1:+.1%}")
    return verdict(
        (
            (
                f"memory flat: the last {size} weeks within {GROWTH:.0%} of the second {size}",
                late <= early * (1 + GROWTH),
            ),
            ("no more open files after the last week than after the second", max(handles) == min(handles)),
            ("everybody asked in every run", all(week["asked"] == len(world.artists) for week in weeks)),
            ("no check failed but of lists that had come back empty", not _astray(world, weeks)),
            ("nothing lost", not judged.lost),
            ("nothing told twice", not judged.twice),
        )
    )


def _astray(world: World, weeks: list[dict[str, Any]]) -> list[str]:
    """Whose check failed though the list was there; one that comes back empty is believed at the third time."""
    return [
        artist
        for number, week in enumerate(weeks)
        for artist in week["failed"]
        if world.listings(artist, DEFAULT_GROUPS, START + number * WEEK)
    ]


def _row(block: range, weeks: list[dict[str, Any]], judged: Judged, told: dict[str, list[int]]) -> str:
    held = [weeks[week] for week in block]
    new = sum(week in block for week in judged.appeared.values())
    lost = sum(judged.appeared[one] in block for one in judged.lost)
    twice = sum(told[one][1] in block for one in judged.twice)
    return (
        f"  {f'{block[0] + 1}-{block[-1] + 1}':<10}{mean(one['memory'] for one in held) / MB:>8.1f}"
        f"{mean(one['heap'] for one in held) / MB:>8.1f}{mean(one['blocks'] for one in held):>10,.0f}"
        f"{max(one['files'] for one in held):>7}{held[-1]['database'] / MB:>8.1f}{new:>7,}{lost:>6}{twice:>7}"
    )


if __name__ == "__main__":
    sys.exit(main())
