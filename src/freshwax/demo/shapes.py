"""JSON bodies in the shapes that Spotify's Web API has for new apps since 2026.

That is: no ``album_group``, ``available_markets``, ``popularity`` or ``followers`` any more.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec

from freshwax.demo.wire import Response
from freshwax.demo.world import WorldArtist, WorldRelease

Json = dict[str, Any]

OPEN = "https://open.spotify.com"
IMAGES = "https://i.scdn.co/image"
IMAGE_SIZES = ((640, "ab67616d0000b273"), (300, "ab67616d00001e02"), (64, "ab67616d00004851"))
GZIP_FROM = 1_000
JSON_TYPE = ("content-type", "application/json; charset=utf-8")


def simple_artist(base: str, artist_id: str, name: str) -> Json:
    """An artist as it stands on a release."""
    return {
        "external_urls": {"spotify": f"{OPEN}/artist/{artist_id}"},
        "href": f"{base}/artists/{artist_id}",
        "id": artist_id,
        "name": name,
        "type": "artist",
        "uri": f"spotify:artist:{artist_id}",
    }


def full_artist(base: str, artist: WorldArtist, at: datetime) -> Json:
    """An artist by itself, or in search results."""
    return {**simple_artist(base, artist.id, artist.name_at(at)), "genres": [], "images": _images(artist.id)}


def album(base: str, release: WorldRelease, artists: Mapping[str, WorldArtist], at: datetime) -> Json:
    """A release as an artist's listing shows it at an instant."""
    credited = ((key, artists[key].name_at(at) if key in artists else "Various Artists") for key in release.artists)
    return {
        "album_type": release.type,
        "total_tracks": release.total_tracks,
        "external_urls": {"spotify": f"{OPEN}/album/{release.id}"},
        "href": f"{base}/albums/{release.id}",
        "id": release.id,
        "images": _images(release.id),
        "name": release.title,
        "release_date": release.date.value,
        "release_date_precision": release.date.precision.value,
        "type": "album",
        "uri": f"spotify:album:{release.id}",
        "artists": [simple_artist(base, key, name) for key, name in credited],
    }


def page(url: str, query: Mapping[str, str], items: list[Json], *, total: int, offset: int, limit: int) -> Json:
    """A page of a list, with the links to itself and to its neighbours. ``query`` is what else belongs to the links."""

    def link(at: int) -> str:
        return f"{url}?{urlencode({'offset': at, 'limit': limit, **query}, safe=',')}"

    return {
        "href": link(offset),
        "limit": limit,
        "next": link(offset + limit) if offset + limit < total else None,
        "offset": offset,
        "previous": link(max(0, offset - limit)) if offset > 0 else None,
        "total": total,
        "items": items,
    }


def _images(key: str) -> list[Json]:
    digest = hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()[:24]
    return [{"url": f"{IMAGES}/{prefix}{digest}", "height": size, "width": size} for size, prefix in IMAGE_SIZES]


@dataclass(frozen=True, slots=True)
class Body:
    """An encoded body, ready to be sent plain, zipped, or as a 304."""

    raw: bytes
    zipped: bytes | None
    etag: str
    shown: tuple[str, ...] = ()

    @classmethod
    def of(cls, payload: Json, shown: tuple[str, ...] = ()) -> Body:
        """Encode a payload; the ETag is made as Spotify makes it, from the MD5 of the body."""
        raw = msgspec.json.encode(payload)
        digest = hashlib.md5(raw, usedforsecurity=False).hexdigest()
        etag = base64.b64encode(f'"{digest}"'.encode()).decode()
        zipped = gzip.compress(raw, 5, mtime=0) if len(raw) >= GZIP_FROM else None
        return cls(raw, zipped, f'"MC-{etag}"', shown)

    def response(self, headers: Mapping[str, str]) -> Response:
        """The response to a request with these headers: conditional, zipped where that is accepted and worth it."""
        common = (("etag", self.etag), ("cache-control", "public, max-age=0"))
        if headers.get("if-none-match") == self.etag:
            return Response(304, b"", common, shown=self.shown)
        if self.zipped is not None and "gzip" in headers.get("accept-encoding", ""):
            zipped = (JSON_TYPE, *common, ("content-encoding", "gzip"), ("vary", "accept-encoding"))
            return Response(200, self.zipped, zipped, shown=self.shown)
        return Response(200, self.raw, (JSON_TYPE, *common), shown=self.shown)


def error(
    status: int, message: str, *, reason: str | None = None, headers: tuple[tuple[str, str], ...] = ()
) -> Response:
    """An error of the Web API (the token endpoint has another shape)."""
    detail: Json = {"status": status, "message": message} | ({"reason": reason} if reason else {})
    return Response(status, msgspec.json.encode({"error": detail}), (JSON_TYPE, *headers))


def token_error(code: str, description: str | None = None) -> Response:
    """An error of the token endpoint."""
    body: Json = {"error": code} | ({"error_description": description} if description else {})
    return Response(400, msgspec.json.encode(body), (JSON_TYPE,))


def quota_exceeded(retry_after: int) -> Response:
    """The quota of the day is spent."""
    return error(429, "Too many requests", reason="QUOTA_EXCEEDED", headers=(("retry-after", str(retry_after)),))
