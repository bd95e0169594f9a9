"""The control path of the stand-in server: what a test does by attribute, another process does by HTTP.

``POST /_control`` with any of ``{"at": "2026-03-08T06:00Z", "quota": 600, "latency_ms": 50, "expire_tokens": true,
"clear_log": true, "faults": [{"effect": "Status", "with": {"code": 503}, "artist": ID, "times": 3, "where": "all"}]}``;
``faults`` replaces all that are set. The answer, also to a GET, tells the instant and what was asked so far.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import msgspec

from freshwax.demo import faults
from freshwax.demo.api import SpotifyApi
from freshwax.demo.shapes import JSON_TYPE, error
from freshwax.demo.wire import Request, Response
from freshwax.demo.world import instant

CONTROL_PATH = "/_control"


class FaultOrder(msgspec.Struct, forbid_unknown_fields=True, rename={"arguments": "with"}):
    """A fault as it is ordered from outside."""

    effect: str
    arguments: dict[str, Any] = {}
    artist: str | None = None
    times: int | None = None
    where: faults.Where = "api"

    def fault(self) -> faults.Fault:
        """The fault; ValueError if there is no such effect, or not with these arguments."""
        kind = getattr(faults, self.effect, None)
        if not (isinstance(kind, type) and issubclass(kind, faults.Effect)):
            raise ValueError(f"no effect is called {self.effect}")  # noqa: TRY004 - it is the value that is wrong
        try:
            effect = kind(**self.arguments)
        except TypeError as problem:
            raise ValueError(str(problem)) from problem
        return faults.Fault(effect, self.artist, self.times, None, self.where)


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """What may be changed from outside; what is not named stays."""

    at: str | None = None
    quota: int | msgspec.UnsetType | None = msgspec.UNSET
    latency_ms: float | None = None
    faults: list[FaultOrder] | None = None
    expire_tokens: bool = False
    clear_log: bool = False


def control(api: SpotifyApi, request: Request) -> Response:
    """Carry out an order and answer with the state after it; 400 says what is wrong with the order."""
    if request.method == "POST":
        try:
            _carry_out(api, msgspec.json.decode(request.body, type=Order))
        except ValueError as problem:
            return error(400, str(problem))
    return Response(200, msgspec.json.encode(_state(api)), (JSON_TYPE,))


def _carry_out(api: SpotifyApi, order: Order) -> None:
    at = instant(order.at) if order.at else api.at
    ordered = [fault.fault() for fault in order.faults] if order.faults is not None else api.faults
    api.at, api.faults = at, ordered
    if order.quota is not msgspec.UNSET:
        api.manners = replace(api.manners, quota=order.quota)
    if order.latency_ms is not None:
        api.latency = order.latency_ms / 1_000
    if order.expire_tokens:
        api.expire_tokens()
    if order.clear_log:
        api.log.clear()


def _state(api: SpotifyApi) -> dict[str, Any]:
    asked = [entry for entry in api.log if entry.what != "token"]
    return {
        "at": api.at.isoformat(),
        "requests": len(asked),
        "tokens": len(api.log) - len(asked),
        "not_modified": sum(entry.status == 304 for entry in asked),
        "bytes": sum(entry.bytes for entry in api.log),
        "statuses": {str(status): count for status, count in Counter(entry.status for entry in asked).items()},
    }
