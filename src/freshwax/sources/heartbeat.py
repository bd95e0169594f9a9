"""The heartbeat: a monitoring service is told that a run begins and how it ended, and raises alarm when it is not.

The manners are those of healthchecks.io: a POST to the address itself means success, to ``/start``, ``/fail`` and
``/log`` below it what they say; a short text goes along.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Thread
from urllib.parse import urlsplit

from freshwax.errors import FreshwaxError
from freshwax.secret import Secret
from freshwax.sources.http import HttpClient, Response, Timeouts

TIMEOUTS = Timeouts(connect=3.0, read=3.0, total=4.0)


ENDINGS = {"start": "/start", "success": "", "log": "/log", "fail": "/fail"}


class Heartbeat:
    """Tells the service at ``url``, each time in a thread of its own: a run neither waits for it nor fails with it.

    The address is a capability, so it is shown nowhere. ``warn`` is given one sentence, at the end, if something did
    not arrive.
    """

    def __init__(self, url: Secret, warn: Callable[[str], None]) -> None:
        self._url = url
        self._warn = warn
        self._last: Thread | None = None
        self._trouble = ""

    def start(self) -> None:
        """Say that a run begins; returns at once."""
        self._say("start", "")

    def end(self, signal: str, text: str, patience: float) -> None:
        """Say how a run ended: ``success``, ``log`` or ``fail``.

        Waits for the service ``patience`` seconds at most, or until somebody presses Ctrl-C.
        """
        said = self._say(signal, text)
        try:
            said.join(patience)
        except KeyboardInterrupt:
            self._trouble = "interrupted"
        host = urlsplit(self._url.reveal()).netloc
        trouble = f"{host} did not answer within {patience:g} s" if said.is_alive() else self._trouble
        if trouble:
            self._warn(f"The heartbeat did not arrive: {trouble}.")

    def _say(self, signal: str, text: str) -> Thread:
        self._last = Thread(target=self._after, args=(self._last, signal, text), name="heartbeat", daemon=True)
        self._last.start()
        return self._last

    def _after(self, before: Thread | None, signal: str, text: str) -> None:
        """Keep the order: an end that overtakes its beginning would start the clock of the next alarm."""
        if before is not None:
            before.join()
        try:
            self._trouble = asyncio.run(_post(self._url, signal, text)) or self._trouble
        except FreshwaxError as error:
            self._trouble = str(error)
        except Exception as error:  # noqa: BLE001 -- whatever it is, a run must not fail with it, nor print a traceback
            self._trouble = type(error).__name__


async def _post(url: Secret, signal: str, text: str) -> str:
    """Send one message; return what was wrong with the answer, "" if nothing was."""
    http = HttpClient(connections=1, timeouts=TIMEOUTS)
    address = _address(url.reveal(), signal)
    http.hide(address, url.reveal())
    try:
        answer = await http.send("POST", address, headers={"Content-Type": "text/plain; charset=utf-8"}, text=text)
    finally:
        await http.aclose()
    return _trouble(answer)


def _address(url: str, signal: str) -> str:
    path, mark, query = url.partition("?")
    ending = ENDINGS[signal]
    return f"{path.rstrip('/')}{ending}{mark}{query}" if ending else url


def _trouble(answer: Response) -> str:
    host = urlsplit(answer.url).netloc
    if not 200 <= answer.status < 300:
        return f"{host} answered HTTP {answer.status}"
    if answer.body.startswith(b"OK (not found)"):  # healthchecks.io tells it so, with status 200
        return f"{host} does not know this address"
    if answer.body.startswith(b"OK (rate limited)"):
        return f"{host} was called too often"
    return ""
