"""The stand-in server: a world, served over HTTP on loopback as Spotify's Web API would list it at a settable instant.

In tests and in the demo it runs on a thread: ``with DemoServer(world, at) as server: server.at = later``. For
benchmarks, ``python -m freshwax.demo.server`` runs it in a process of its own; ``POST /_control`` moves the instant.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self

from freshwax.demo.api import Manners, SpotifyApi
from freshwax.demo.control import CONTROL_PATH, control
from freshwax.demo.faults import Asked, Effect, Fault, Logged, Where
from freshwax.demo.wire import Connection, Reply, Request
from freshwax.demo.world import World


class DemoServer:
    """Serves a world on loopback from a thread of its own, from ``start`` to ``stop``.

    A stopped server refuses connections; started again, it is found at the same port, and knows the tokens it gave.
    """

    def __init__(
        self, world: World, at: datetime, manners: Manners | None = None, *, latency: float = 0.0, port: int = 0
    ) -> None:
        self.api = SpotifyApi(world, at, manners or Manners())
        self.port = port
        self.api.latency = latency
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    @property
    def at(self) -> datetime:
        """The instant at which the world is served; the ``Date`` header says the same. May be set at any time."""
        return self.api.at

    @at.setter
    def at(self, instant: datetime) -> None:
        self.api.at = instant

    @property
    def latency(self) -> float:
        """Real seconds before every answer; other connections are not held up."""
        return self.api.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self.api.latency = seconds

    @property
    def manners(self) -> Manners:
        """Quota, rate, page size and credentials; may be replaced at any time."""
        return self.api.manners

    @manners.setter
    def manners(self, manners: Manners) -> None:
        self.api.manners = manners

    @property
    def log(self) -> list[Logged]:
        """Every request answered so far, token requests too."""
        return self.api.log

    @property
    def requests(self) -> list[Logged]:
        """The API requests answered so far, without those for tokens."""
        return [entry for entry in self.log if entry.what != "token"]

    @property
    def accounts_url(self) -> str:
        """Where tokens are given: what stands in for ``https://accounts.spotify.com``."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_url(self) -> str:
        """What stands in for ``https://api.spotify.com/v1``."""
        return f"{self.accounts_url}/v1"

    def misbehave(
        self,
        effect: Effect,
        *,
        artist: str | None = None,
        times: int | None = None,
        when: Callable[[Asked], bool] | None = None,
        where: Where = "api",
    ) -> Fault:
        """Add a fault (see ``faults``); ``repair`` takes it back."""
        fault = Fault(effect, artist, times, when, where)
        self.api.faults.append(fault)
        return fault

    def repair(self, *faults: Fault) -> None:
        """Take these faults back; all of them when none is named."""
        gone = {id(fault) for fault in faults or self.api.faults}
        self.api.faults = [fault for fault in self.api.faults if id(fault) not in gone]

    def expire_tokens(self) -> None:
        """Refuse every token given so far."""
        self.api.expire_tokens()

    def start(self) -> Self:
        """Listen, and return when connections are taken."""
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="demo-server", daemon=True)
        self._thread.start()
        ready.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def stop(self) -> None:
        """End all connections and the thread; answers that are still held back are dropped."""
        if self._loop is not None and self._stopping is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._stopping.set)
        if self._thread is not None:
            self._thread.join()

    def join(self) -> None:
        """Wait until the server ends."""
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self, ready: threading.Event) -> None:
        try:
            asyncio.run(self._serve(ready))
        except OSError as failure:
            self._failure = failure
        finally:
            ready.set()

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        connections: set[Connection] = set()
        server = await self._loop.create_server(lambda: Connection(self._answer, connections), "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        self.api.base = self.api_url
        ready.set()
        await self._stopping.wait()
        server.close()
        for connection in tuple(connections):
            connection.abort()
        await asyncio.sleep(0)  # lets the transports close their sockets

    def _answer(self, request: Request) -> Reply:
        if request.path == CONTROL_PATH:
            return Reply(control(self.api, request))
        return self.api.answer(request)


if __name__ == "__main__":
    from freshwax.demo.standalone import main

    main()
