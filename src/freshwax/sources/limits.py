"""What keeps freshwax a polite and a bounded guest: pacing, cooldowns, retries, the circuit breaker. The gate counts.

A request goes through all of it in ``Sender.send``::

    breaker closed? -> gate open? -> slot free -> paced -> headers (token) -> gate: into the ledger -> sent -> settled
         ^                                                                                               |
         +------ connection error, 5xx: 2 retries with jitter; 429: Retry-After up to 10 s, a few times --+

Everything longer than 10 seconds is state (``Paused``, see ``sources.gate``), never a wait. An outage is over fast:
once 10 requests in a row failed nothing is retried any more, and 10 failed checks in a row open the circuit for the
rest of the run.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from freshwax.clock import Clock
from freshwax.errors import CheckError, Paused, SourceDown
from freshwax.quota import LONGEST_PAUSE, OWN_PACE, OWN_QUOTA, QUOTA_EXCEEDED, RATE_LIMIT
from freshwax.sources.gate import Gate
from freshwax.sources.http import HttpClient, Response, answered_at, http_date

RETRIES = 2
BACKOFF = 0.5  # seconds; doubled with each retry, and jittered over its whole length
FAILURES = 10
LONGEST_WAIT = 10.0  # seconds; also of Retry-After
SHORTEST_WAIT = 0.05  # seconds, for a place in the quota that others took first
ROUNDS = 3  # how often in a row
DEFAULT_WAIT = 5.0  # seconds, where a 429 does not say
DEFAULT_PAUSE = timedelta(minutes=5)  # when short waits did not help
DEFAULT_QUOTA_PAUSE = timedelta(hours=1)  # where a spent quota does not say

SHOWN = frozenset({"include_groups", "limit", "offset"})  # what a log may hold of a query
_log = logging.getLogger(__name__)

Headers = Callable[[], Awaitable[Mapping[str, str]]]
T = TypeVar("T")


def in_flight(concurrency: int, per_second: float | None) -> int:
    """Return how many requests may be under way at once: no more than can have their turn in the longest wait."""
    return min(concurrency, max(int(LONGEST_WAIT * per_second), 1)) if per_second else concurrency


class Pacer:
    """Spaces requests evenly, ``per_second`` of them; 0 or None lifts it."""

    def __init__(self, per_second: float | None, clock: Clock) -> None:
        self._interval = 1.0 / per_second if per_second else 0.0
        self._clock = clock
        self._next = 0.0
        self._held = 0.0

    def hold(self, seconds: float) -> None:
        """Let nobody pass for so long (a short ``Retry-After`` is meant for all requests)."""
        self._held = max(self._held, self._clock.monotonic() + seconds)

    async def wait(self) -> None:
        """Wait for one's turn."""
        if not self._interval and not self._held:
            return
        await self._end_of_hold()  # before a turn is drawn: no sleep is as long as a hold and the queue behind it
        now = self._clock.monotonic()
        turn = max(now, self._next)
        self._next = turn + self._interval
        if turn > now:
            await self._clock.sleep(turn - now)
        # A hold may have come while this one waited. No loop: it would never end on a clock that stands still.
        if self._held > turn:
            await self._end_of_hold()

    async def _end_of_hold(self) -> None:
        if (rest := self._held - self._clock.monotonic()) > 0:
            await self._clock.sleep(rest)


class Breaker:
    """The circuit breaker: ``limit`` failures in a row, and the source is left alone for the rest of the run.

    It counts twice. Requests in a row that got no sane answer decide whether a retry is worth anything; checks in a row
    that failed, of whichever artists, open the circuit.
    """

    def __init__(self, service: str, limit: int = FAILURES) -> None:
        self._service = service
        self._limit = limit
        self._requests = 0
        self._checks = 0
        self._why: str | None = None

    @property
    def ill(self) -> bool:
        """Whether the source looks so ill that retries are wasted."""
        return self._requests >= self._limit

    def request_answered(self) -> None:
        """Note an answer that shows the service alive."""
        self._requests = 0

    def request_failed(self) -> None:
        """Note a request that failed."""
        self._requests += 1

    def check_succeeded(self) -> None:
        """Note that something was learnt of an artist, be it that it does not exist."""
        self._checks = 0

    def check_failed(self, why: str) -> None:
        """Note that an artist's check failed; ``why`` is told when the circuit opens."""
        self._checks += 1
        if self._checks >= self._limit:
            self.open(f"{self._checks} checks in a row failed, the last: {why}")

    def open(self, why: str) -> None:
        """Open the circuit at once."""
        self._why = self._why or why

    def pass_or_raise(self) -> None:
        """Raise ``SourceDown`` if the circuit is open."""
        if self._why is not None:
            raise SourceDown(f"{self._service} is left alone for the rest of this run: {self._why}")


class Sender:
    """Sends requests through all bounds; what it returns is an answer, whatever its status but 429 and 5xx.

    ``reason_of`` finds the machine-readable reason in a refusal's body (``QUOTA_EXCEEDED``), "" if there is none.
    """

    def __init__(
        self,
        http: HttpClient,
        *,
        gate: Gate,
        breaker: Breaker,
        pacer: Pacer,
        clock: Clock,
        rng: random.Random,
        in_flight: int = 8,
        reason_of: Callable[[bytes], str] = lambda _: "",
    ) -> None:
        self.gate = gate
        self.breaker = breaker
        self._http = http
        self._pacer = pacer
        self._clock = clock
        self._rng = rng
        self._slots = asyncio.Semaphore(in_flight)
        self._reason_of = reason_of
        self._round = 0  # goes up with each hold: tells refusals of one burst from those after a wait
        self._refused_rounds = 0

    async def send(
        self,
        method: str,
        url: str,
        headers: Headers,
        *,
        bucket: str | None,
        data: Mapping[str, str] | None = None,
    ) -> Response:
        """Send a request, again if need be. Without a ``bucket`` (token requests) it takes no slot and is not counted.

        Raises ``CheckError`` (``network``, ``timeout``, ``server``: after the retries), ``Paused``, ``SourceDown``, and
        whatever ``headers`` raises.
        """
        retries = refusals = 0
        while True:
            self.breaker.pass_or_raise()
            if bucket is None:
                self.gate.check_cooldown(None)
            else:
                await self._ask_the_time(headers, bucket)
                await self._soon(lambda: self.gate.check(bucket))
            round_before = self._round
            try:
                response = await self._once(method, url, headers, bucket, data)
            except CheckError as failure:
                if not failure.transient:
                    raise
                self.breaker.request_failed()
                if retries == RETRIES or self.breaker.ill:
                    raise
                await self._clock.sleep(backoff(retries, self._rng))
                retries += 1
                continue
            if response.status != 429 and not (response.status == 503 and "retry-after" in response.headers):
                self.breaker.request_answered()
                self._refused_rounds = 0
                return response
            refusals += 1
            self._hold_or_pause(response, bucket, round_before, refusals)

    async def _once(
        self, method: str, url: str, headers: Headers, bucket: str | None, data: Mapping[str, str] | None
    ) -> Response:
        if bucket is None:
            return _healthy(await self._exchange(method, url, await headers(), data))
        async with self._slots:
            await self._pacer.wait()
            fields = await headers()
            self.breaker.pass_or_raise()
            number = await self._soon(lambda: self.gate.admit(bucket))
            status = wire = 0
            try:
                response = await self._exchange(method, url, fields, data)
                status, wire = response.status, response.bytes_on_wire
            finally:
                self.gate.settle(number, status, wire)
        return _healthy(response)

    async def _exchange(
        self, method: str, url: str, fields: Mapping[str, str], data: Mapping[str, str] | None
    ) -> Response:
        """Send, and log what came of it."""
        began = self._clock.monotonic()
        outcome = "no answer"
        try:
            response = await self._http.send(method, url, headers=fields, data=data)
            self.gate.confirm(answered_at(response.headers))
            outcome = f"HTTP {response.status}, {response.bytes_on_wire:,} bytes"
        finally:
            if _log.isEnabledFor(logging.DEBUG):
                took = (self._clock.monotonic() - began) * 1000
                known = {"run_id": self.gate.run_id}
                _log.debug("%s %s: %s, %.0f ms", method, _harmless(url), outcome, took, extra=known)
        return response

    async def _ask_the_time(self, headers: Headers, bucket: str) -> None:
        """Have a token fetched where the ledger speaks of the future: that answer bears a date, and is not counted.

        Else a ledger that a clock filled while it was ahead would bar every request until that time has come.
        """
        if self.gate.doubtful is None:
            self.gate.check_cooldown(bucket)
        if self.gate.doubtful:
            await headers()

    async def _soon(self, pass_gate: Callable[[], T]) -> T:
        """Pass the gate, after a short wait where a place in the quota, or in these seconds, is about to become free.

        A job that runs at the same minute every day would else be stopped by its own requests of yesterday.
        """
        waited = 0.0
        while True:
            try:
                return pass_gate()
            except Paused as pause:
                if pause.reason not in {OWN_QUOTA, OWN_PACE} or pause.until is None:
                    raise
                wait = max((pause.until - self._clock.now()).total_seconds(), SHORTEST_WAIT)
                if waited + wait > LONGEST_WAIT:
                    raise
            await self._clock.sleep(wait)
            waited += wait

    def _hold_or_pause(self, response: Response, bucket: str | None, round_before: int, refusals: int) -> None:
        """Make everybody wait for a short ``Retry-After``; raise ``Paused`` for anything longer.

        A spent quota is that of one bucket, a rate limit is one for all.
        """
        wait = retry_after(response.headers, self._clock.now())
        if self._reason_of(response.body) == "QUOTA_EXCEEDED":
            self.gate.pause(DEFAULT_QUOTA_PAUSE if wait is None else wait, QUOTA_EXCEEDED, bucket)
        seconds = DEFAULT_WAIT if wait is None else max(wait.total_seconds(), 1.0)
        if seconds > LONGEST_WAIT:
            self.gate.pause(timedelta(seconds=seconds), RATE_LIMIT)
        if round_before == self._round:
            self._round += 1
            self._refused_rounds += 1
        if max(self._refused_rounds, refusals) > ROUNDS:
            self.gate.pause(DEFAULT_PAUSE, RATE_LIMIT)
        self._pacer.hold(seconds)


def _harmless(url: str) -> str:
    """Return the path of an address, with what a log may hold of its query."""
    parts = urlsplit(url)
    query = urlencode([pair for pair in parse_qsl(parts.query) if pair[0] in SHOWN], safe=",")
    return f"{parts.path}?{query}" if query else parts.path


def _healthy(response: Response) -> Response:
    refused = response.status == 503 and "retry-after" in response.headers
    if response.status >= 500 and not refused:
        raise CheckError(f"the service failed (HTTP {response.status})", code="server", transient=True)
    return response


def backoff(retry: int, rng: random.Random) -> float:
    """Return seconds to wait before a retry (0 is the first): full jitter over a doubling span."""
    return rng.uniform(0.0, BACKOFF * 2.0**retry)


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Read ``Retry-After``: seconds, or a date, which is taken against the answer's own ``Date`` where it has one.

    None where it is missing or unreadable; never negative, two days at most.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=min(int(text[:9]), 10**8)), LONGEST_PAUSE)
    instant = http_date(text)
    if instant is None:
        return None
    wait = instant - (answered_at(headers) or now.astimezone(UTC))
    return min(max(wait, timedelta(0)), LONGEST_PAUSE)
