"""What a person may write for an artist: an ID, a URI, a link, or simply a name."""

from __future__ import annotations

import re

from freshwax.errors import UsageError

ID = re.compile(r"[0-9A-Za-z]{22}")
URI = re.compile(r"spotify:(?:user:[^:]*:)?([a-z_]+):([^:]*)", re.IGNORECASE)
LINK = re.compile(r"(?:https?://)?(?:open|play)\.spotify\.com(?:/(.*))?", re.IGNORECASE)
KIND = re.compile(r"[a-z_]{1,20}")
LOCALE = re.compile(r"intl-[a-z]{2,}(?:-[a-z]+)?", re.IGNORECASE)
SHORT_LINK = re.compile(r"(?:https?://)?(?:spotify\.link|spotify\.app\.link|spoti\.fi)/", re.IGNORECASE)


def parse_artist_ref(text: str) -> str | None:
    """Return the artist ID that a text names, or None if it is a plain name.

    Raises ``UsageError`` for what is clearly meant for Spotify but is no artist: a link to an album, a damaged ID.
    """
    text = text.strip()
    if ID.fullmatch(text):
        return text
    if match := URI.fullmatch(text):
        return _artist_id(match[1].lower(), match[2], text)
    if text.lower().startswith("spotify:"):
        raise UsageError(f"{_quoted(text)} is not a Spotify artist URI (spotify:artist:ID)")
    if SHORT_LINK.match(text):
        raise UsageError(f"{_quoted(text)} is a short link: open it, and take the open.spotify.com address it leads to")
    if match := LINK.fullmatch(text):
        return _from_path(match[1] or "", text)
    if text.lower().startswith(("http://", "https://")):
        raise UsageError(f"{_quoted(text)} is not an open.spotify.com link")
    return None


def _from_path(path: str, text: str) -> str:
    parts = [part for part in re.split(r"[?#]", path)[0].split("/") if part]
    while parts and (LOCALE.fullmatch(parts[0]) or parts[0].lower() == "embed"):
        parts = parts[1:]
    if len(parts) < 2:
        raise UsageError(f"{_quoted(text)} does not lead to an artist")
    return _artist_id(parts[0].lower(), parts[1], text)


def _artist_id(what: str, artist_id: str, text: str) -> str:
    if not KIND.fullmatch(what):
        raise UsageError(f"{_quoted(text)} does not lead to an artist")
    if what != "artist":
        raise UsageError(f"{_quoted(text)} is a Spotify {what}, not an artist")
    if not ID.fullmatch(artist_id):
        raise UsageError(f"{_quoted(text)} holds no valid artist ID: Spotify's have 22 letters and digits")
    return artist_id


def _quoted(text: str) -> str:
    """The text as it may be shown: short, and without control characters."""
    shown = "".join(char if char.isprintable() else "?" for char in text)
    return f"`{shown[:100]}…`" if len(shown) > 100 else f"`{shown}`"
