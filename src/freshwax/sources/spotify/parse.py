"""Spotify's JSON, turned into freshwax's values.

Unknown, missing and null fields are fine wherever something sensible remains; what is needed and missing, or of another
type than it ever was, makes a ``CheckError`` with the code ``bad_data`` that says which field. What only an unknown
release cannot do without is noted, for those who know (``lists.recognised``).
"""

from __future__ import annotations

import re
from datetime import date
from sys import intern
from typing import Any, NamedTuple, TypeVar

import msgspec

from freshwax.errors import CheckError
from freshwax.model import Credit, Listed, Precision, Ref, Release, ReleaseDate
from freshwax.sources.base import Candidate
from freshwax.sources.spotify.pages import Page

T = TypeVar("T")

SOURCE = "spotify"
DEFAULT_TYPE = "single"  # what most releases are
BY_LENGTH = {4: Precision.YEAR, 7: Precision.MONTH, 10: Precision.DAY}
LENGTHS: dict[str, int] = {precision.value: length for length, precision in BY_LENGTH.items()}
# An escape in a JSON string: half a surrogate pair, or anything else, so that backslashes are counted off in pairs.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
LONGEST_ANSWER = 300  # characters of what an error body says: it goes into reports and logs
DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")


class _Image(msgspec.Struct):
    url: str | None = None
    width: float | None = None


class _Artist(msgspec.Struct):
    id: str | None = None
    name: str | None = None
    external_urls: dict[str, Any] | None = None
    genres: list[Any] | None = None


class _Album(msgspec.Struct):
    id: str | None = None
    name: str | None = None
    album_type: str | None = None
    artists: list[_Artist | None] | None = None
    release_date: Any = None
    release_date_precision: Any = None
    external_urls: dict[str, Any] | None = None
    images: list[_Image | None] | None = None
    total_tracks: int | None = None


class _Albums(msgspec.Struct):
    items: list[_Album | None] | None = None
    total: int | None = None
    next: str | None = None


class _Artists(msgspec.Struct):
    items: list[_Artist | None] | None = None


class _Search(msgspec.Struct):
    artists: _Artists | None = None


class _Token(msgspec.Struct):
    access_token: str | None = None
    expires_in: float | None = None


class ApiError(NamedTuple):
    """What an error body says, as far as it says anything."""

    message: str = ""
    reason: str = ""


_albums = msgspec.json.Decoder(_Albums)
_search = msgspec.json.Decoder(_Search)
_token = msgspec.json.Decoder(_Token)
_any = msgspec.json.Decoder()


def parse_page(body: bytes, offset: int, etag: str | None = None) -> Page:
    """Read a page of ``/artists/{id}/albums`` that was asked for from ``offset`` on.

    A null among the items is left out but keeps its position. Raises ``CheckError`` (``bad_data``).
    """
    page = _decode(_albums, body, "list of releases")
    if page.items is None:
        raise _missing("list of releases", "items")
    entries = tuple(
        Listed(offset + index, _release(album, index), _lacking(album))
        for index, album in enumerate(page.items)
        if album is not None
    )
    total = page.total if page.total is not None and page.total >= 0 else None
    return Page(entries, total, bool(page.next), etag)


def parse_candidates(body: bytes) -> list[Candidate]:
    """Read the artists of a search, best first. Raises ``CheckError`` (``bad_data``)."""
    found = _decode(_search, body, "search result")
    if found.artists is None or found.artists.items is None:
        raise _missing("search result", "artists.items")
    return [
        Candidate(artist.id, artist.name or "", _hint(artist.id, artist))
        for artist in found.artists.items
        if artist is not None and artist.id
    ]


def token_of(body: bytes) -> tuple[str, float]:
    """Read a token and the seconds that it lives. Raises ``CheckError`` (``bad_data``)."""
    token = _decode(_token, body, "token")
    if not token.access_token or not token.access_token.isascii() or not token.access_token.isprintable():
        raise _missing("token", "access_token")
    seconds = 3600.0 if token.expires_in is None else token.expires_in
    return token.access_token, min(max(seconds, 0.0), 86_400.0)


def error_of(body: bytes) -> ApiError:
    """Read an error body of the API or of the token service; never fails, whatever it is."""
    try:
        answer = _any.decode(_sound(body))
    except (ValueError, RecursionError):
        # Not JSON: `Too many requests` is a sentence worth repeating, a page of HTML is not.
        text = body[:200].decode("utf-8", "replace").strip()
        return ApiError(text if text.isprintable() and not text.startswith("<") else "")
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, dict):
        return ApiError(_text(error.get("message")), _text(error.get("reason")))
    description = answer.get("error_description") if isinstance(answer, dict) else None
    return ApiError(_text(description), _text(error))


def parse_date(value: object, precision: object) -> ReleaseDate | None:
    """Read a release date, as precisely as both its text and its stated precision allow; None if it is no date."""
    if not isinstance(value, str) or DATE.fullmatch(value) is None:
        return None
    length = len(value)
    if isinstance(precision, str):
        length = min(length, LENGTHS.get(precision, length))
    while length > 4 and not _is_day(value[:length]):
        length -= 3
    return ReleaseDate(intern(value[:length]), BY_LENGTH[length])


def _is_day(value: str) -> bool:
    try:
        date.fromisoformat((value + "-01")[:10])
    except ValueError:
        return False
    return True


def _decode(decoder: msgspec.json.Decoder[T], body: bytes, what: str) -> T:
    try:
        return _tolerant(decoder, body)
    except msgspec.ValidationError as error:
        raise CheckError(f"Spotify's {what} is not as expected: {error}", code="bad_data") from None
    except (ValueError, RecursionError):
        raise CheckError(f"Spotify's {what} is not JSON", code="bad_data") from None


def _tolerant(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decode; half a character in one title must not cost the artist's whole list, check after check."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        raise
    except ValueError:
        return decoder.decode(_sound(body))


def _sound(body: bytes) -> bytes:
    """Return JSON in which the replacement character stands for bytes that are no UTF-8, and for lone surrogates."""
    return _ESCAPE.sub(_whole, body.decode("utf-8", "replace").encode())


def _whole(escape: re.Match[bytes]) -> bytes:
    return b"\\ufffd" if escape["lone"] else escape[0]


def _missing(what: str, name: str) -> CheckError:
    return CheckError(f"Spotify's {what} lacks `{name}`", code="bad_data")


def _release(album: _Album, index: int) -> Release:
    if not album.id or "\ufffd" in album.id:  # half an ID might be anybody's
        raise _missing("list of releases", f"items[{index}].id")
    return Release(
        ref=Ref(SOURCE, album.id),
        title=album.name or "",
        type=intern((album.album_type or DEFAULT_TYPE).lower()),
        artists=tuple(
            Credit(intern(artist.id or ""), intern(artist.name or ""))
            for artist in album.artists or ()
            if artist is not None and (artist.id or artist.name)
        ),
        date=parse_date(album.release_date, album.release_date_precision),
        url=_link(album.external_urls) or f"https://open.spotify.com/album/{album.id}",
        image_url=_image(album.images or ()),
        total_tracks=album.total_tracks,
    )


def _lacking(album: _Album) -> str | None:
    """Name a missing field that tells a release from others. An empty title is one, a date in no known form, too."""
    if album.name is None:
        return "name"
    if not album.album_type:
        return "album_type"
    if not any(artist is not None and artist.id for artist in album.artists or ()):
        return "artists"
    return "release_date" if album.release_date is None else None


def _image(images: list[_Image | None] | tuple[()]) -> str | None:
    """The image of middle width; the first where widths are not given."""
    usable = [image for image in images if image is not None and _is_web(image.url)]
    if not usable:
        return None
    if all(image.width is not None for image in usable):
        usable.sort(key=lambda image: image.width or 0.0)
        return usable[len(usable) // 2].url
    return usable[0].url


def _hint(artist_id: str, artist: _Artist) -> str:
    genres = ", ".join(genre for genre in artist.genres or () if isinstance(genre, str))
    link = _link(artist.external_urls) or f"https://open.spotify.com/artist/{artist_id}"
    return f"{link} ({genres})" if genres else link


def _link(urls: dict[str, Any] | None) -> str | None:
    url = (urls or {}).get("spotify")
    return url if _is_web(url) else None


def _is_web(url: object) -> bool:
    """Whether something is a web address: it ends up in a link, where ``javascript:`` would be one, too."""
    return isinstance(url, str) and url.startswith(("https://", "http://"))


def _text(value: object) -> str:
    return value[:LONGEST_ANSWER] if isinstance(value, str) else ""
