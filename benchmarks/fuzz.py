"""A million damaged inputs for the four readers of text from outside: does any of them crash, or dawdle?

Each target's corpus (tests/fuzz/corpus) is changed by chance, the same way for the same ``--seed``. Accepted: read, and
all that must hold of it does. Refused: with the error that is documented. Anything else is a crash, and is printed.
"""

from __future__ import annotations

import argparse
import base64
import random
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.fuzz.mutate import inputs
from tests.fuzz.targets import TARGETS, Target, corpus

from _table import headline, say, verdict

SHOWN = 3
SLOW = 0.5  # seconds of CPU


@dataclass
class Outcome:
    """What became of a target's inputs."""

    inputs: int = 0
    accepted: int = 0
    refused: int = 0
    slowest: float = 0.0
    crashes: list[tuple[bytes, Exception]] = field(default_factory=list)


def main() -> int:
    options = _options()
    headline()
    say(f"  {'target':<10}{'corpus':>8}{'inputs':>12}{'accepted':>12}{'refused':>12}{'crashed':>9}{'slowest':>11}")
    outcomes = []
    for name in options.target:
        kept = list(corpus(name))
        found = campaign(
            TARGETS[name], chain(kept, inputs(name, kept, random.Random(f"{name} {options.seed}"))), options
        )
        outcomes.append(found)
        say(
            f"  {name:<10}{len(kept):>8,}{found.inputs:>12,}{found.accepted:>12,}{found.refused:>12,}"
            f"{len(found.crashes):>9,}{found.slowest * 1000:>8.0f} ms"
        )
        for data, error in found.crashes[:SHOWN]:
            say(f"    {type(error).__name__}: {str(error)!a}"[:78])
            say(f"    base64: {base64.b64encode(data).decode()}"[:78])
    total = sum(one.inputs for one in outcomes)
    return verdict(
        (
            (f"no crash in {total:,} inputs", not any(one.crashes for one in outcomes)),
            ("every target both accepts and refuses", all(one.accepted and one.refused for one in outcomes)),
            (f"no input takes more than {SLOW:g} s of CPU", all(one.slowest < SLOW for one in outcomes)),
        )
    )


def campaign(target: Target, tried: Iterator[bytes], options: argparse.Namespace) -> Outcome:
    """Feed a target."""
    found = Outcome()
    for data in islice(tried, options.inputs):
        found.inputs += 1
        start = time.perf_counter()
        try:
            if target(data):
                found.accepted += 1
            else:
                found.refused += 1
        except Exception as error:  # noqa: BLE001 -- that is what is looked for
            found.crashes.append((data, error))
        if time.perf_counter() - start > found.slowest:  # to ask for CPU time each time would take longer than the rest
            found.slowest = max(found.slowest, _cpu(target, data))
    return found


def _cpu(target: Target, data: bytes) -> float:
    """Return the seconds of CPU that an input takes."""
    start = time.process_time()
    with suppress(Exception):
        target(data)
    return time.process_time() - start


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=250_000, help="for each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", nargs="+", choices=TARGETS, default=list(TARGETS))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
