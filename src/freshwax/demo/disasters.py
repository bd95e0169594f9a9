"""The catalogue of what a tracker must live through: one line a disaster, by name.

A disaster strikes in some weeks, drawn by chance, and then in one of four ways: the whole run, a third of its requests,
those after the first few, or only the first few. ``campaign`` lets it happen, ``witness`` tells what may be expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from freshwax.demo import upheaval
from freshwax.demo.faults import (
    Effect,
    Emptied,
    EmptyPages,
    Garbage,
    Header,
    Hung,
    Interleaved,
    ItemField,
    Latency,
    LoopingNext,
    NoPageField,
    NullItems,
    OldestFirst,
    Oversized,
    QuotaSpent,
    Reset,
    ShortPages,
    Shuffled,
    Status,
    TokenRefused,
    TokensExpire,
    TooMany,
    Truncated,
    Where,
    WronglyTyped,
    WrongTotal,
)
from freshwax.demo.machine import Illness
from freshwax.demo.upheaval import Upheaval

HOUR, DAY, YEAR = timedelta(hours=1), timedelta(days=1), timedelta(days=365)
A_DAY, MAD = 86_400, 400 * 86_400  # seconds
NO_DATE = Header("date")


@dataclass(frozen=True, slots=True)
class Disaster:
    """What goes wrong in the weeks that are struck.

    ``effects``: one of them is drawn a week; ``where`` and ``at_most`` (requests a run) bound them; ``besides``
    strikes all requests of such a week as well. ``down``: connections are refused. ``clock``: by so much the user's
    clock is wrong; ``jump``: by so much it jumps while a run waits for an answer. ``quota`` (requests a day for each
    artist) and ``page_max``: what the service allows. ``world``: what befalls the world, whatever the week.
    ``machine``: what the user's machine falls ill with in mid-run; ``rival``: another run is started during each.

    ``per_day`` (as ``quota``), ``page_size``, ``policy`` and ``keep_releases`` are the user's settings, in all weeks;
    ``summer_time``: runs are at the same hour by the clock on the wall. ``often``: the share of weeks that are struck;
    ``learning``: the first one always is, in which everybody is learnt.
    """

    name: str
    effects: tuple[Effect, ...] = ()
    where: Where = "api"
    at_most: int | None = None
    besides: Effect | None = None
    down: bool = False
    clock: timedelta = timedelta(0)
    jump: timedelta = timedelta(0)
    quota: float | None = None
    page_max: int | None = None
    world: Upheaval | None = None
    machine: Illness | None = None
    rival: bool = False
    per_day: float | None = None
    page_size: int = 10
    policy: str = "adaptive"
    keep_releases: timedelta | None = None
    summer_time: bool = False
    often: float = 0.35
    learning: bool = False

    @property
    def lasting(self) -> bool:
        """Whether it is there in all weeks, by what befell the world or by the user's settings."""
        settings = self.per_day is not None or self.policy != "adaptive" or self.keep_releases is not None
        return self.world is not None or settings or self.summer_time


def _garbage(*bodies: bytes) -> tuple[Effect, ...]:
    return tuple(Garbage(body, "application/json") for body in bodies)


CATALOGUE = (
    Disaster("nothing", often=0.0),
    # Connections.
    Disaster("connections refused", down=True),
    Disaster("connections reset", (Reset(),)),
    Disaster("slow answers", (Latency(0.1),), at_most=60),
    Disaster("time-outs", (Latency(60.0),), at_most=16),
    Disaster("body hangs", (Hung(0), Hung(100)), at_most=16),
    Disaster("body truncated", (Truncated(0), Truncated(100))),
    # Statuses.
    Disaster("5xx bursts", (Status(500), Status(502), Status(503), Status(504, body=b""))),
    Disaster("503 with Retry-After", (Status(503, retry_after="2"), Status(503, retry_after="7200"))),
    Disaster("403", (Status(403, "Forbidden"),)),
    Disaster("404 for artists that exist", (Status(404, "Resource not found"),)),
    Disaster("429, short Retry-After", (TooMany(1), TooMany(3), TooMany(2, as_date=True)), at_most=40),
    Disaster("429, a day's Retry-After", tuple(TooMany(long, form) for long in (A_DAY, MAD) for form in (False, True))),
    Disaster("429, plain text, no time", (Status(429, body=b"Too many requests"),)),
    Disaster("quota in mid-run", (QuotaSpent(52_531),)),
    Disaster("quota of a day", quota=0.1),
    Disaster("the user's own quota", per_day=0.5),
    # Tokens.
    Disaster("401 in mid-run", (TokensExpire(),), at_most=3),
    Disaster("401 for good", (Status(401, "The access token expired"),)),
    Disaster("no token", (TokenRefused(), Status(500), Garbage(), Status(429, retry_after="3600")), where="token"),
    # Bodies.
    Disaster("empty bodies", (Garbage(b""), Garbage(b" ", "application/json"))),
    Disaster("oversized bodies", (Oversized(),), at_most=12),
    Disaster("wrongly typed bodies", _garbage(b"[]", b"null", b'"x"', b'{"items": 3}', b"{}", b'{"items": ["x"]}')),
    Disaster(
        "wrongly typed fields",
        (
            *(WronglyTyped("items", {}), WronglyTyped("total", "9"), WronglyTyped("next", 1)),
            *(ItemField("id", 7), ItemField("name", ["x"]), ItemField("artists", "x")),
        ),
    ),
    Disaster("HTML instead of JSON", (Garbage(), Garbage(status=502), Garbage(status=404))),
    Disaster("pages without items", (NoPageField("items"),), learning=True),
    Disaster("pages without fields", tuple(NoPageField(name) for name in ("items", "total", "next"))),
    Disaster(
        "items without fields",
        tuple(ItemField(name, gone=True) for name in ("id", "name", "album_type", "artists", "release_date")),
    ),
    Disaster("null among the items", (NullItems((0,)), NullItems((0, 3, 9)), NullItems(tuple(range(10))))),
    # Lists.
    Disaster("next loops", (LoopingNext(),), learning=True),
    Disaster("empty pages with next", (EmptyPages(),), learning=True),
    Disaster("short pages", (ShortPages(2), ShortPages(9)), learning=True),
    Disaster("wrong totals", (WrongTotal(1), WrongTotal(-1), WrongTotal(7), WrongTotal(-50)), learning=True),
    Disaster("changed order", (Shuffled(1), Shuffled(2), OldestFirst(), Interleaved()), learning=True),
    Disaster("lists emptied", (Emptied(),), learning=True),
    Disaster("pages of 50 refused", page_max=10, page_size=50),
    Disaster("pages of 10 refused", page_max=5),
    # Artists and catalogues.
    Disaster("artists vanish for good", world=upheaval.vanished_for_good),
    Disaster("artists vanish and return", world=upheaval.vanished_and_back),
    Disaster("artists renamed", world=upheaval.renamed),
    Disaster("artists merged", world=upheaval.merged),
    Disaster("listed before their day", world=upheaval.announced_early),
    Disaster("catalogues under new titles", world=upheaval.retitled),
    Disaster("catalogues under new IDs", world=upheaval.relisted),
    Disaster("all under new IDs at once", world=upheaval.relisted_at_once),
    # Clocks.
    Disaster("clock 20 hours back", clock=-20 * HOUR),
    Disaster("clock 20 hours ahead", clock=20 * HOUR),
    Disaster("clock two days back", clock=-2 * DAY),
    Disaster("clock two days back, no Date", clock=-2 * DAY, besides=NO_DATE),
    Disaster("clock 20 hours back in mid-run", jump=-20 * HOUR),
    Disaster("clock 20 hours ahead in mid-run", jump=20 * HOUR),
    Disaster("clock a year ahead", clock=YEAR),
    Disaster("clock a year ahead, no Date", clock=YEAR, besides=NO_DATE, often=0.1),
    Disaster("the service's clock wrong", (Header("date", "Thu, 01 Jan 2015 00:00:00 GMT"),)),
    Disaster("summer time", summer_time=True),
    Disaster("ISO week 53, tiers", policy="tiers"),
    # The machine.
    Disaster("killed at any moment", machine=Illness.KILLED),
    Disaster("disk full", machine=Illness.FULL),
    Disaster("database read-only", machine=Illness.READ_ONLY),
    Disaster("database locked", machine=Illness.LOCKED),
    Disaster("details dropped after 90 days", keep_releases=90 * DAY),
    Disaster("slow disk", machine=Illness.SLOW),
    Disaster("two runs at once", rival=True),
)
BY_NAME: Mapping[str, Disaster] = {one.name: one for one in CATALOGUE}
