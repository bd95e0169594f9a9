"""One process that runs freshwax week after week, and says after each what it holds. Keeps nothing of its own.

``python _soaker.py FOLDER URL FIRST WEEKS``: FOLDER holds ``artists.txt`` (IDs, one a line) and is given the database
and ``told.txt`` (week, ID, kind: one line for each release told). A line of standard output for each week: what the
process holds, as JSON.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import sys
from contextlib import closing
from datetime import datetime, timedelta
from http.client import HTTPConnection  # noqa: TID251 - another client than the tracker's own
from pathlib import Path

from freshwax.clock import SimulatedClock
from freshwax.demo.api import Manners
from freshwax.model import Mode, Ref, Report, Run
from freshwax.reports.render import REPORT_FORMATS, render
from freshwax.secret import Secret
from freshwax.sources.limits import Gate
from freshwax.sources.spotify.client import SpotifySource, make_spotify
from freshwax.store.base import Store
from freshwax.store.sqlite import SQLiteStore
from freshwax.tracking import session
from freshwax.tracking.options import RunOptions
from freshwax.tracking.report import fix_report

WEEK = timedelta(weeks=1)
OPEN_FILES = Path("/proc/self/fd" if Path("/proc/self/fd").is_dir() else "/dev/fd")
MEMORY = Path("/proc/self/statm")


def main(folder: str, url: str, first: str, weeks: str) -> None:
    home, at = Path(folder), datetime.fromisoformat(first)
    database = home / "freshwax.db"
    names = (home / "artists.txt").read_text("utf-8").split()
    with closing(SQLiteStore.open(database)) as store:
        store.watch([(Ref("spotify", name), None) for name in names], at)
    logging.getLogger("freshwax").addHandler(logging.NullHandler())  # as the command line has it
    clock = SimulatedClock(at)
    for week in range(int(weeks)):
        clock.move_to(at + week * WEEK)
        _tell_server(url, clock.now())
        with closing(SQLiteStore.open(database)) as store:
            run, report = _track(store, url, clock)
            failed = [check.artist.id for check in store.checks(run.id, failed=True)]
        with (home / "told.txt").open("a", encoding="utf-8") as file:
            file.writelines(f"{week} {one.release.ref.id} {one.kind}\n" for one in report.lines if not one.hidden_by)
        size = sum(path.stat().st_size for path in home.glob("freshwax.db*"))
        held = {
            "memory": _memory(),
            "heap": _heap(),
            "blocks": sys.getallocatedblocks(),
            "files": len(os.listdir(OPEN_FILES)),  # noqa: PTH208 - no second handle for the listing itself
            "database": size,
            "requests": run.cost.requests,
            "asked": run.coverage.checked + run.coverage.failed,
            "failed": failed,
        }
        print(json.dumps(held), flush=True)


def _track(store: Store, url: str, clock: SimulatedClock) -> tuple[Run, Report]:
    """One weekly run and its report, in every format."""
    options, manners = RunOptions(Mode.INCREMENTAL, "US"), Manners()

    def source() -> tuple[SpotifySource, Gate]:
        made = make_spotify(
            manners.client_id,
            Secret(manners.client_secret),
            store,
            clock,
            api_url=f"{url}/v1",
            accounts_url=url,
            requests_per_second=0,
            requests_per_day=None,
        )
        return made, made.gate

    run = session.track(store, source, clock, options)
    report = fix_report(store, run, options, clock.now())
    for name in REPORT_FORMATS:
        render(report, name, now=clock.now(), width=80, colour=False)
    store.tell(report.id, clock.now())
    return run, report


def _tell_server(url: str, at: datetime) -> None:
    """Move the server on; what it noted of the week before is dropped."""
    connection = HTTPConnection(url.removeprefix("http://"), timeout=30)
    connection.request("POST", "/_control", json.dumps({"at": at.isoformat(), "clear_log": True}).encode())
    connection.getresponse().read()
    connection.close()


def _memory() -> int:
    """Bytes that the process holds now; where that is not told, the most that it ever held."""
    if MEMORY.exists():
        return int(MEMORY.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


class _MallInfo(ctypes.Structure):
    """What the C library says of its heap; ``uordblks``: bytes in use, ``hblkhd``: those in blocks of their own."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
    ]


def _heap() -> int:
    """Bytes of the C library's heap that are in use: what the process holds beyond its objects; 0 where unknown."""
    try:
        ask = ctypes.CDLL(None).mallinfo2
    except (AttributeError, OSError, TypeError):
        return 0
    ask.restype = _MallInfo
    info = ask()
    return int(info.uordblks + info.hblkhd)


if __name__ == "__main__":
    main(*sys.argv[1:])
