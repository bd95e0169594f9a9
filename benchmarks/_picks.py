"""What a smart batch adds to a run, in a process that has not planned yet: prints the milliseconds."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path

from freshwax.model import Mode
from freshwax.store.sqlite import SQLiteStore
from freshwax.tracking.options import RunOptions
from freshwax.tracking.plan import smart_batch


def main(database: str, at: str) -> None:
    """Pick whom a run at an instant checks: numpy's import, the reading of the histories and the plan."""
    with closing(SQLiteStore.open(Path(database), read_only=True)) as store:
        artists = store.artists()  # which every run reads
        options = RunOptions(Mode.INCREMENTAL, "US", policy="adaptive", budget=len(artists) // 5)
        started = time.perf_counter()
        batch = smart_batch(store, artists, datetime.fromisoformat(at), options)
        print((time.perf_counter() - started) * 1000)
        assert len(batch.picks) == len(artists) // 5


if __name__ == "__main__":
    main(*sys.argv[1:])
