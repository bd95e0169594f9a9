"""What keeps freshwax a polite and a bounded guest: pacing, quota, budget, cooldown, retries, the circuit breaker.

A request goes through all of it in ``Sender.send``::

    breaker closed? -> gate open? -> slot free -> paced -> headers (token) -> gate: into the ledger -> sent -> settled
         ^                                                                                               |
         +------ connection error, 5xx: 2 retries with jitter; 429: Retry-After up to 10 s, a few times --+

Everything longer than 10 seconds is state (``Paused``), never a wait. An outage is over fast: once 10 requests in a row
failed nothing is retried any more, and 10 failed checks in a row open the circuit for the rest of the run.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NoReturn, TypeVar

from freshwax.clock import Clock
from freshwax.errors import CheckError, Paused, SourceDown
from freshwax.model import Cost
from freshwax.sources.base import Ledger
from freshwax.sources.http import HttpClient, Response, answered_at, http_date

DAY = timedelta(hours=24)
RETRIES = 2
BACKOFF = 0.5  # seconds; doubled with each retry, and jittered over its whole length
FAILURES = 10
LONGEST_WAIT = 10.0  # seconds of Retry-After that are waited for
SHORTEST_WAIT = 0.05  # seconds, for a place in the quota that others took first
ROUNDS = 3  # how often in a row
DEFAULT_WAIT = 5.0  # seconds, where a 429 does not say
DEFAULT_PAUSE = timedelta(minutes=5)  # when short waits did not help
DEFAULT_QUOTA_PAUSE = timedelta(hours=1)  # where a spent quota does not say
LONGEST_PAUSE = timedelta(days=2)  # a mad header must not silence freshwax for a year

Headers = Callable[[], Awaitable[Mapping[str, str]]]
T = TypeVar("T")


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
        now = self._clock.monotonic()
        turn = max(now, self._next, self._held)
        self._next = turn + self._interval
        if turn > now:
            await self._clock.sleep(turn - now)
        # A hold may have come while this one waited. No loop: it would never end on a clock that stands still.
        if self._held > turn and (rest := self._held - self._clock.monotonic()) > 0:
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


class Gate:
    """Admits requests: the rolling day's quota, a budget, a cooldown; and counts what they cost.

    ``cooldown`` is what an earlier run left; afterwards it tells what this one learnt, for the tracker to keep.
    ``run_id`` goes into the ledger with each request.
    """

    def __init__(
        self,
        source: str,
        ledger: Ledger,
        clock: Clock,
        *,
        per_day: int | None = None,
        budget: int | None = None,
        cooldown: tuple[datetime, str] | None = None,
        run_id: int | None = None,
    ) -> None:
        self.cooldown = cooldown
        self.run_id = run_id
        self._source = source
        self._ledger = ledger
        self._clock = clock
        self._per_day = per_day
        self._budget = budget
        self._full_until: datetime | None = None
        self._requests = 0
        self._not_modified = 0
        self._bytes = 0

    @property
    def budget(self) -> int | None:
        """How many requests the budget still allows; None: any number."""
        return self._budget

    @property
    def cost(self) -> Cost:
        """What was spent through this gate (``seconds`` is the tracker's to fill)."""
        return Cost(self._requests, self._not_modified, self._bytes)

    def allow(self, requests: int | None) -> None:
        """Set the budget: so many requests from now on; None lifts it."""
        self._budget = requests

    def check(self) -> None:
        """Raise ``Paused`` if a request would not be admitted now."""
        self.check_cooldown()
        now = self._clock.now()
        if self._budget is not None and self._budget <= 0:
            raise Paused("The request budget of this run is spent", reason="budget", until=None)
        if not self._per_day:
            return
        if self._full_until is None or now >= self._full_until:
            first = self._ledger.nth_last_request(self._source, self._per_day)
            self._full_until = None if first is None else _counts_until(first, now)
        if self._full_until is not None and now < self._full_until:
            self._refuse("quota", self._full_until)
        self._full_until = None

    def check_cooldown(self) -> None:
        """Raise ``Paused`` if the source asked to be left alone.

        A cooldown that reaches further than any that is ever set comes from a clock that was wrong.
        """
        if self.cooldown is not None and timedelta(0) < self.cooldown[0] - self._clock.now() <= LONGEST_PAUSE:
            self._refuse(self.cooldown[1], self.cooldown[0])

    def admit(self, bucket: str) -> int:
        """Record a request before it is sent and return its number in the ledger. Raises ``Paused``."""
        self.check()
        number = self._ledger.record_request(self._source, bucket, self._clock.now(), self.run_id)
        self._requests += 1
        if self._budget is not None:
            self._budget -= 1
        return number

    def settle(self, number: int, status: int, bytes_received: int) -> None:
        """Note how a request ended; status 0 where there was no answer."""
        self._ledger.settle_request(number, status, bytes_received)
        self._not_modified += status == 304
        self._bytes += bytes_received

    def pause(self, until: datetime, reason: str) -> NoReturn:
        """Close the gate for everybody until then, and raise ``Paused``."""
        if self.cooldown is None or not until <= self.cooldown[0] <= self._clock.now() + LONGEST_PAUSE:
            self.cooldown = (until, reason)
        self._refuse(reason, until)

    def _refuse(self, reason: str, until: datetime) -> NoReturn:
        what = "the quota of requests is spent" if reason == "quota" else "it asked to be left alone"
        message = f"{self._source} is paused until {until:%Y-%m-%d %H:%M} UTC: {what}"
        raise Paused(message, reason=reason, until=until)


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
                self.gate.check_cooldown()
            else:
                await self._soon(self.gate.check)
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
            self._hold_or_pause(response, round_before, refusals)

    async def _once(
        self, method: str, url: str, headers: Headers, bucket: str | None, data: Mapping[str, str] | None
    ) -> Response:
        if bucket is None:
            return _healthy(await self._http.send(method, url, headers=await headers(), data=data))
        async with self._slots:
            await self._pacer.wait()
            fields = await headers()
            self.breaker.pass_or_raise()
            number = await self._soon(lambda: self.gate.admit(bucket))
            status = wire = 0
            try:
                response = await self._http.send(method, url, headers=fields, data=data)
                status, wire = response.status, response.bytes_on_wire
            finally:
                self.gate.settle(number, status, wire)
        return _healthy(response)

    async def _soon(self, pass_gate: Callable[[], T]) -> T:
        """Pass the gate, after a short wait where a place in the day's quota is about to become free.

        A job that runs at the same minute every day would else be stopped by its own requests of yesterday.
        """
        waited = 0.0
        while True:
            try:
                return pass_gate()
            except Paused as pause:
                of_the_service = self.gate.cooldown is not None and pause.until == self.gate.cooldown[0]
                if pause.reason != "quota" or pause.until is None or of_the_service:
                    raise
                wait = max((pause.until - self._clock.now()).total_seconds(), SHORTEST_WAIT)
                if waited + wait > LONGEST_WAIT:
                    raise
            await self._clock.sleep(wait)
            waited += wait

    def _hold_or_pause(self, response: Response, round_before: int, refusals: int) -> None:
        """Make everybody wait for a short ``Retry-After``; raise ``Paused`` for anything longer."""
        now = self._clock.now()
        wait = retry_after(response.headers, now)
        if self._reason_of(response.body) == "QUOTA_EXCEEDED":
            self.gate.pause(now + (DEFAULT_QUOTA_PAUSE if wait is None else wait), "quota")
        seconds = DEFAULT_WAIT if wait is None else max(wait.total_seconds(), 1.0)
        if seconds > LONGEST_WAIT:
            self.gate.pause(now + timedelta(seconds=seconds), "cooldown")
        if round_before == self._round:
            self._round += 1
            self._refused_rounds += 1
        if max(self._refused_rounds, refusals) > ROUNDS:
            self.gate.pause(now + DEFAULT_PAUSE, "cooldown")
        self._pacer.hold(seconds)


def _healthy(response: Response) -> Response:
    refused = response.status == 503 and "retry-after" in response.headers
    if response.status >= 500 and not refused:
        raise CheckError(f"the service failed (HTTP {response.status})", code="server", transient=True)
    return response


def _counts_until(asked: datetime, now: datetime) -> datetime | None:
    """Until when a request counts towards the rolling day; None if its instant cannot be believed.

    One from the future (the clock was wrong) counts from now on. More than a day ahead it would do so every time it is
    looked at, and shut freshwax out for as long: the source's own refusal is the better guard then.
    """
    return None if asked > now + DAY else min(asked, now) + DAY


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
