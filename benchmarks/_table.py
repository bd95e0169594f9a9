"""Tables as plain text, 80 columns at most."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from textwrap import shorten

from _judge import Judgement
from _trial import AUDIT, BASELINE, FIRST_DEPTH, FURTHER, HEAD, PROBE, UNEXPLAINED, WatchedTrial
from freshwax.reports.escape import visible

WIDTH = 80
SHOWN = 8


def say(text: str = "") -> None:
    """Print a line at once."""
    print(text, flush=True)


def headline() -> None:
    """Print the command line that makes this table again."""
    words = [Path(sys.argv[0]).name, *sys.argv[1:]]
    say(f"$ python benchmarks/{' '.join(words)}"[:WIDTH])
    say()


def fact(label: str, value: object, note: str = "") -> None:
    """Print one figure with its label, and what to say about it."""
    shown = f"{value:,}" if isinstance(value, int) else str(value)
    say(f"  {label:<36}{shown:>12}" + (f"   {note}" if note else ""))


def verdict(checks: Iterable[tuple[str, bool]]) -> int:
    """Print which targets are met; return the exit code."""
    say()
    failed = 0
    for target, met in checks:
        failed += not met
        say(f"  {'met   ' if met else 'MISSED'}  {target}")
    return 1 if failed else 0


def outcome(judged: Judgement) -> None:
    """Print what became of the releases."""
    fact("releases that appeared", len(judged.expected))
    fact("told in the first run after", len(judged.in_time))
    fact("told later", len(judged.late))
    fact("told as another ID of the same", len(judged.twins))
    for titles in list(judged.twins.values())[:SHOWN]:
        say("    " + shorten(visible(titles), WIDTH - 4))
    fact("lost", len(judged.lost))
    fact("told twice", len(judged.twice))
    fact("old, but told as new", len(judged.stale))


def costs(trial: WatchedTrial) -> float:
    """Print what the requests were for; return requests an artist and week, the learning included."""
    artists = len(trial.world.artists)
    weekly = [row for row in trial.rows if row.regular]
    first = weekly[0].at
    learning: Counter[str] = sum((row.purposes for row in trial.rows if row.at < first), Counter())
    later: Counter[str] = sum((row.purposes for row in trial.rows if row.at >= first), Counter())
    turns = artists * len(weekly)
    scan, total = sum(row.scan for row in weekly), later.total()
    say(f"  {'requests':<36}{'total':>12}{'a turn':>10}")
    say(f"  {'learning: first checks':<36}{learning[BASELINE]:>12,}{learning[BASELINE] / artists:>10.3f}  an artist")
    deep = learning.total() - learning[BASELINE]
    say(f"  {'learning: depth':<36}{deep:>12,}{deep / artists:>10.3f}  an artist")
    lines = (
        ("probes", later[PROBE]),
        ("album heads", later[HEAD]),
        ("further pages of checks", later[FURTHER] + later[BASELINE]),
        ("depth: never read before", later[FIRST_DEPTH]),
        ("depth: not explained otherwise", later[UNEXPLAINED]),
        ("depth: audits", later[AUDIT]),
    )
    for label, count in lines:
        say(f"  {'weekly: ' + label:<36}{count:>12,}{count / turns:>10.3f}")
    say(f"  {'weekly: all of it':<36}{total:>12,}{total / turns:>10.3f}  an artist and week")
    whole = total + learning.total()
    say(f"  {'learning and weekly':<36}{whole:>12,}{whole / turns:>10.3f}")
    say(f"  {'a page of each group would take':<36}{2 * turns:>12,}{2.0:>10.3f}")
    say(f"  {'full scans would take':<36}{scan:>12,}{scan / turns:>10.3f}")
    return whole / turns
