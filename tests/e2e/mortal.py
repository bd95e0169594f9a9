"""Runs the command line in children that SIGKILL ends at a chosen moment; a process of its own, with one thread.

Each line of standard input is an order, ``{"args", "env", "kill", "folder", "largest_file"}``; a line of standard
output answers it with ``{"code", "moments"}``. Moments are: before each SQL statement (``COMMIT`` is one), before and
after bytes reach standard output (``print``, ``printed``), before a file is moved to its place (``rename``). The child
dies at moment number ``kill``, before what it names; its code is then -9.
"""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import sqlite3
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from freshwax.cli.main import main

# Imported once, for all children.
for module in ("httpx2", "freshwax.cli.track", "freshwax.sources.spotify.client", "freshwax.tracking.session"):
    import_module(module)

CONNECT = sqlite3.connect


class Witnessed(io.RawIOBase):
    """Standard output, which notes when bytes go out."""

    def __init__(self, moment: Callable[[str], None]) -> None:
        self.moment = moment

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1

    def write(self, data: Any) -> int:
        self.moment("print")
        written = os.write(1, data)
        self.moment("printed")
        return written


def child(order: dict[str, Any]) -> None:
    folder = Path(order["folder"])
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(folder / name, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), number)
    moments = os.open(folder / "moments", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    count = 0

    def moment(name: str) -> None:
        nonlocal count
        os.write(moments, f"{name}\n".encode())
        if count == order["kill"]:
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1

    def connect(*args: Any, **options: Any) -> sqlite3.Connection:
        connection = CONNECT(*args, **options)
        connection.set_trace_callback(lambda sql: moment(" ".join(sql.split()[:3])))
        return connection

    os.environ.clear()
    os.environ.update(order["env"])
    sys.addaudithook(lambda event, _: moment("rename") if event == "os.rename" else None)
    sqlite3.connect = connect  # the program runs as it is; only what it says to SQLite is listened to
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(Witnessed(moment)), encoding="utf-8")
    if order["largest_file"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["largest_file"],) * 2)
    try:
        main(order["args"])
    except SystemExit as end:
        sys.stderr.flush()
        os._exit(int(end.code or 0))
    finally:
        os._exit(99)


def serve() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if not pid:
            child(order)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        moments = (Path(order["folder"]) / "moments").read_text().splitlines()
        sys.stdout.write(json.dumps({"code": code, "moments": moments}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
