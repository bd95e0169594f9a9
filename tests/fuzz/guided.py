"""Fuzzing led by coverage, where atheris is installed (no dependency): ``python -m tests.fuzz.guided TARGET ...``.

What follows the target is libFuzzer's, such as ``-max_total_time=60 FOLDER``; the folder is where new inputs go. What
is worth keeping goes into ``corpus/TARGET/found.b64``, a line an input.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["freshwax"]):
    from tests.fuzz.targets import TARGETS, corpus


def main() -> None:
    """Fuzz one target, from its corpus on."""
    name, *options = sys.argv[1:]
    for option in options:
        if not option.startswith("-"):
            seeds = Path(option)
            seeds.mkdir(exist_ok=True)
            for number, data in enumerate(corpus(name)):
                (seeds / f"kept-{number:04}").write_bytes(data)

    def one(data: bytes) -> None:
        TARGETS[name](data)

    atheris.Setup([sys.argv[0], *options], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
