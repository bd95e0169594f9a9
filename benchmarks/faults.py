"""What is lost, told twice or falsely reported when everything goes wrong that can: the fault campaign.

Each disaster of the catalogue (freshwax.demo.disasters) alone, then random mixes of four, over years of weekly runs
with smart batches and prefetches between the full ones. Who is judged by what is written in freshwax.demo.witness.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from threading import Thread

from _table import headline, say, verdict
from freshwax.demo.campaign import Outcome, suffer
from freshwax.demo.disasters import BY_NAME, CATALOGUE

MIXED = 4  # disasters together
COLUMNS = ("struck", "world", "owed", "late", "lost", "rep.", "old", "false")
Job = tuple[str, tuple[str, ...], int]  # a name, the disasters' names, a seed


def main() -> int:
    options = _options()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it at once, instead of waiting for every campaign
    headline()
    jobs = list(_jobs(options))
    say(f"  {options.weeks} weeks and {options.artists} artists each. struck: weeks with the fault; world: releases")
    say("  that there are; owed: to the user; late: told by a later run than the next")
    say("  that asks everybody; rep.: repeated; old: told though no news; false: what")
    say("  reports said of their coverage and was not true")
    say()
    say(f"  {'fault':<29}" + "".join(f"{name:>6}" for name in COLUMNS))
    done: list[Outcome] = []
    for outcome in _outcomes(jobs, options):
        done.append(outcome)
        _row(outcome)
    _total(done)
    return verdict(
        (
            ("nothing owed is lost", not any(one.lost for one in done)),
            ("nothing is told twice", not any(one.repeated for one in done)),
            ("nothing old is told as new", not any(one.old for one in done)),
            ("no report says of its coverage what is not true", not any(one.false for one in done)),
        )
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fault", nargs="*", metavar="NAME", help="these alone; without a name, none alone")
    parser.add_argument("--weeks", type=int, default=200)
    parser.add_argument("--artists", type=int, default=300)
    parser.add_argument("--mixes", type=int, default=10, help=f"random mixes of {MIXED}, after the single faults")
    parser.add_argument("--seed", type=int, default=1, help="of the worlds, of what strikes when, and of the mixes")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")
    options = parser.parse_args()
    unknown = [name for name in options.fault or () if name not in BY_NAME]
    if unknown:
        parser.error(f"no fault is called {unknown[0]!r}; there are: {', '.join(BY_NAME)}")
    return options


def _jobs(options: argparse.Namespace) -> Iterator[Job]:
    for name in BY_NAME if options.fault is None else options.fault:
        yield name, (name,), options.seed
    chance = random.Random(f"mixes {options.seed}")
    for number in range(1, options.mixes + 1):
        mixed = chance.sample([one.name for one in CATALOGUE if one.often], MIXED)
        yield f"mix {number}", tuple(mixed), options.seed + number


def _outcomes(jobs: Sequence[Job], options: argparse.Namespace) -> Iterator[Outcome]:
    """The outcomes in the order of the jobs, each as soon as it and those before it are there."""
    started = time.monotonic()
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(_suffer, job, options.artists, options.weeks) for job in jobs]
        for job, future in zip(jobs, waiting, strict=True):
            if not options.quiet:
                future.add_done_callback(_progress(job, waiting, started))
        for future in waiting:
            yield future.result()


def _progress(job: Job, waiting: Sequence[Future[Outcome]], started: float) -> Callable[[Future[Outcome]], None]:
    def say_so(_: Future[Outcome]) -> None:
        ready = sum(one.done() for one in waiting)
        print(f"{time.monotonic() - started:6.0f} s  {ready} of {len(waiting)}: {job[0]}", file=sys.stderr, flush=True)

    return say_so


def _suffer(job: Job, artists: int, weeks: int) -> Outcome:
    """Live through one job, in a process of its own."""
    logging.disable(logging.CRITICAL)  # each failed check is warned of, and there are thousands
    sys.setswitchinterval(0.0005)  # client and server are threads that wait for each other
    _, names, seed = job
    with TemporaryDirectory(prefix="freshwax-faults-") as folder:
        Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
        disasters = [BY_NAME[one] for one in names]
        return suffer(" + ".join(names), disasters, Path(folder), artists=artists, weeks=weeks, seed=seed)


def _end_with_parent(folder: str) -> None:
    """End this process when the one that started it has ended: a run takes signals for itself, and goes on."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    rmtree(folder, ignore_errors=True)
    os._exit(1)


def _row(one: Outcome) -> None:
    names = one.name.split(" + ")
    amiss = (len(found) for found in (one.lost, one.repeated, one.old, one.false))
    figures = "".join(f"{count:>6,}" for count in (one.struck, one.releases, one.owed, one.late, *amiss))
    for more in names[:-1]:
        say(f"  {more} +"[:80])
    say(f"  {names[-1]:<29}{figures}")
    for text in one.false[:3]:
        say(f"      {text}"[:80])


def _total(done: Sequence[Outcome]) -> None:
    say()
    say(f"  {len(done)} campaigns, {sum(one.weeks for one in done):,} weeks, {sum(one.runs for one in done):,} runs")
    say(f"  {sum(one.incomplete for one in done):,} runs that said they were not complete, or died")
    say(f"  {sum(one.requests for one in done):,} requests")
    say(f"  {sum(one.moved for one in done):,} records told again with another ID and another artist")
    say(f"  {sum(one.again for one in done):,} releases printed by a run that died before it could record that")
    say(f"  {sum(one.owed for one in done):,} releases owed, {sum(one.told for one in done):,} of them told")


if __name__ == "__main__":
    sys.exit(main())
