"""Quotas and cooldowns as values: what bounds requests, for how long, and in which words. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from math import ceil

from msgspec import Struct
from msgspec.structs import replace

DAY = timedelta(hours=24)
LONGEST_PAUSE = timedelta(days=2)  # a mad header, or a clock that was wrong, must not silence freshwax for a year
SLACK = timedelta(seconds=5)  # instants of another process may be ahead by so much: it read the clock later
WHOLE_SOURCE = ""  # the bucket of a cooldown that holds for all of a source
LISTINGS = "artist-albums"  # the bucket of what runs ask for
SEARCH = "search"

# Why nothing may be asked. What the service said is stored; the others follow from what was asked.
QUOTA_EXCEEDED = "quota exceeded"
RATE_LIMIT = "rate limit"
OWN_QUOTA = "quota"
OWN_PACE = "pace"
BUDGET = "budget"
SAID_BY_SERVICE = frozenset({QUOTA_EXCEEDED, RATE_LIMIT})
_WORDS = {
    QUOTA_EXCEEDED: "it says that this app's quota is spent",
    RATE_LIMIT: "it asked to be left alone for a while",
}


class Cooldown(Struct, frozen=True):
    """A source is to be left alone until ``until``: all of it, or one bucket (the endpoints that share a quota).

    ``since``: when that was learnt; None where it is not known. ``noticed``: when a clock said first that this lies in
    the future.
    """

    source: str
    until: datetime
    reason: str
    bucket: str = WHOLE_SOURCE
    since: datetime | None = None
    noticed: datetime | None = None


class Limit(Struct, frozen=True):
    """At most so many requests in any stretch of time so long."""

    requests: int
    within: timedelta

    def free_at(self, asked: datetime | None, now: datetime) -> datetime | None:
        """Return when the request sent at ``asked`` no longer counts; None if it does not count now, or never was.

        One from the future counts from now on.
        """
        if asked is None:
            return None
        until = min(asked, now) + self.within
        return until if until > now else None


def limits(per_day: int | None, per_second: float | None) -> tuple[Limit, ...]:
    """Return what bounds the requests of all processes together; 0 or None lifts either.

    Spotify counts 30 seconds at a time. The shorter stretch spreads what several processes send over them, so that
    nobody waits long for the other; its one request more lets a single process, which paces itself, never meet it.
    """
    day = (Limit(per_day, DAY),) if per_day else ()
    if not per_second:
        return day
    in_30 = ceil(30 * per_second)
    burst = (Limit(int(2 * per_second) + 1, timedelta(seconds=2)),) if in_30 > 1 else ()
    return (*day, Limit(in_30, timedelta(seconds=30)), *burst)


def in_force(cooldowns: Iterable[Cooldown], bucket: str | None, now: datetime) -> Cooldown | None:
    """Return the cooldown that bars a bucket the longest, ``until`` as it holds now; None if there is none.

    Without a bucket only what holds for the whole source counts.
    """
    barring = (believed(one, now) for one in cooldowns if one.bucket in {WHOLE_SOURCE, bucket})
    return max((one for one in barring if now < one.until), key=lambda one: one.until, default=None)


def is_ahead(cooldown: Cooldown, now: datetime) -> bool:
    """Return whether a cooldown was learnt in the future: the clock was ahead, or is behind."""
    return cooldown.since is not None and cooldown.since > now + SLACK


def believed(cooldown: Cooldown, now: datetime) -> Cooldown:
    """Return a cooldown as far as it can be believed.

    One that was learnt in the future lasts as long as it did then, from when that was noticed; from now on, where
    nobody has yet. One that reaches further than any that is ever set is over.
    """
    if cooldown.since is not None and is_ahead(cooldown, now):
        length = min(max(cooldown.until - cooldown.since, timedelta(0)), LONGEST_PAUSE)
        began = cooldown.noticed if cooldown.noticed is not None and cooldown.noticed <= now else now
        return replace(cooldown, until=began + length, since=began, noticed=None)
    if cooldown.until - now > LONGEST_PAUSE + SLACK:
        return replace(cooldown, until=now)
    return cooldown


def lasting(known: Cooldown | None, new: Cooldown) -> Cooldown:
    """Return which of two cooldowns of a bucket lasts longer, as far as that is believed when ``new`` is learnt."""
    if known is None:
        return new
    until = known.until if new.since is None else believed(known, new.since).until
    return known if until > new.until else new


def paused(source: str, until: datetime, reason: str, per_day: int | None = None) -> str:
    """Say what is paused, until when, and why. ``until`` is rounded up: at that minute it is over."""
    when = f"until {full_minute(until):%Y-%m-%d %H:%M} UTC"
    if reason == OWN_QUOTA:
        return f"{own_limit(per_day)}: paused {when}"
    if reason == OWN_PACE:
        return f"Paused {when}: other freshwax processes use up the requests of these seconds"
    return f"{source.title()} is paused {when}: {_WORDS.get(reason, reason)}"


def own_limit(per_day: int | None) -> str:
    """Say that it is the user's own limit that bars requests, and not the service."""
    limit = f"Your limit of {per_day:,} requests a day" if per_day else "Your limit of requests a day"
    return f"{limit} (requests_per_day) is reached"


def full_minute(instant: datetime) -> datetime:
    """Return the first full minute that is not before an instant, in UTC."""
    utc = instant.astimezone(UTC)
    floor = utc.replace(second=0, microsecond=0)
    return floor if floor == utc else floor + timedelta(minutes=1)
