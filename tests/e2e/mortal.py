"""Runs the command line in children that SIGKILL ends at a chosen moment; a process of its own, with one thread.

Each line of standard input is an order, ``{"args", "env", "folder", "kill", "seconds", "machine"}``; a line of standard
output answers it with ``{"code", "moments", "took"}``. ``machine`` says what is wrong with it: ``Machine``. Moments
are: before each SQL statement (``COMMIT`` is one), before and after bytes reach standard output (``print``,
``printed``), before a file is moved to its place (``rename``), before and after bytes go to the server (``send``,
``sent``), after some came from there (``received``), when all is done (``end``). The child dies at moment number
``kill``, before what it names, or ``[name, n, later]``: so many moments after the n-th of that name; or after so many
``seconds``. Its code is then -9.
"""

from __future__ import annotations

import io
import json
import os
import resource
import select
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from freshwax.cli.main import main

# Imported once, for all children.
for module in """
    anyio._backends._asyncio anyio.streams.stapled anyio.streams.tls h11 httpcore2 httpx2
    freshwax.cli.prefetch freshwax.cli.track freshwax.reports.json freshwax.sources.spotify.client
    freshwax.store.lock freshwax.store.sqlite freshwax.tracking.report freshwax.tracking.session
""".split():
    import_module(module)
CONNECT = sqlite3.connect


class Machine(msgspec.Struct, frozen=True):
    """What is wrong with the machine.

    ``largest_file``: bytes that a file may have; ``pages``: pages that a database may have. 0: any number. ``delay``:
    seconds before each statement of SQL. ``read_only``: a database may be read, and that is all.
    """

    largest_file: int = 0
    pages: int = 0
    delay: float = 0.0
    read_only: bool = False

    def connect(self, moment: Callable[[str], None], path: str, **options: Any) -> sqlite3.Connection:
        """As ``sqlite3.connect``, on this machine; statements are noted."""
        if self.read_only:
            path = path.replace("?mode=rw", "?mode=ro")
        connection = CONNECT(path, **options)
        if self.pages:
            connection.execute(f"PRAGMA max_page_count = {self.pages}")

        def traced(sql: str) -> None:
            moment(" ".join(sql.split()[:3]))
            if self.delay:
                time.sleep(self.delay)

        connection.set_trace_callback(traced)
        return connection


class Death:
    """Writes down what comes, and kills the process when its time has come."""

    def __init__(self, notes: int, when: int | list[Any] | None) -> None:
        self._notes = notes
        self._number = when if isinstance(when, int) else None
        self._name, self._nth, self._later = when if isinstance(when, list) else (None, 0, 0)
        self._count = 0

    def __call__(self, name: str) -> None:
        os.write(self._notes, f"{name}\n".encode())
        if name == self._name:
            if not self._nth:
                self._number = self._count + self._later
            self._nth -= 1
        if self._count == self._number:
            os.kill(os.getpid(), signal.SIGKILL)
        self._count += 1


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


def listen_to_sockets(moment: Callable[[str], None]) -> None:
    """Note when bytes go to the server, or come from there."""
    send, receive = socket.socket.send, socket.socket.recv

    def sending(self: socket.socket, *args: Any) -> int:
        outside = self.family == socket.AF_INET
        if outside:
            moment("send")
        count = send(self, *args)
        if outside:
            moment("sent")
        return count

    def receiving(self: socket.socket, *args: Any) -> bytes:
        data = receive(self, *args)
        if data and self.family == socket.AF_INET:
            moment("received")
        return data

    socket.socket.send = sending  # type: ignore[assignment,method-assign]
    socket.socket.recv = receiving  # type: ignore[assignment,method-assign]


def child(order: dict[str, Any]) -> None:
    folder = Path(order["folder"])
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(folder / name, os.O_WRONLY), number)
    moment = Death(os.open(folder / "moments", os.O_WRONLY), order["kill"])

    machine = msgspec.convert(order["machine"], Machine)
    os.environ.clear()
    os.environ.update(order["env"])
    sys.addaudithook(lambda event, _: moment("rename") if event in {"os.rename", "os.link"} else None)
    # The program runs as it is; only what it says to SQLite, and to the server, is heard.
    sqlite3.connect = partial(machine.connect, moment)  # type: ignore[assignment]
    listen_to_sockets(moment)
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(Witnessed(moment)), encoding="utf-8")
    if machine.largest_file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (machine.largest_file,) * 2)
    try:
        main(order["args"])
    except SystemExit as end:
        sys.stderr.flush()
        moment("end")
        os._exit(int(end.code or 0))
    finally:
        os._exit(99)


def live(order: dict[str, Any]) -> int:
    """Let a child live, for so many seconds at most where the order says so; return how it ended."""
    ended, alive = os.pipe()  # its end is closed with the child's life
    pid = os.fork()
    if not pid:
        os.close(ended)
        child(order)
    os.close(alive)
    if order["seconds"] is not None and not select.select([ended], [], [], order["seconds"])[0]:
        os.kill(pid, signal.SIGKILL)
    os.close(ended)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def serve() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        for name in ("out", "err", "moments"):
            (Path(order["folder"]) / name).write_bytes(b"")
        began = time.monotonic()
        code = live(order)
        took = time.monotonic() - began
        moments = (Path(order["folder"]) / "moments").read_text().splitlines()
        sys.stdout.write(json.dumps({"code": code, "moments": moments, "took": took}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
