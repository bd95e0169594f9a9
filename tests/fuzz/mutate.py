"""Inputs from a corpus by chance: bytes changed, words put in, parts doubled, cut, swapped, or sent on end.

Where that would nearly always break the form, every other input keeps it: values of the JSON are changed, or lines.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

LONGEST = {"titles": 400}  # bytes; long ones are the business of ``tests/unit/test_hostile.py``
ELSE_LONGEST = 4096
# Words that the readers know, and characters that readers trip over.
WORDS: dict[str, tuple[bytes, ...]] = {
    "artists": (
        *rb'spotify:artist: spotify:user: https://open.spotify.com/artist/ intl-de/ ?si= # , ; " "" id uri'.split(),
        *b"name|artist name(s)|artist uri(s)|0OdUWJ0sBjDrqHygGUXeCF|spotify.link/|\t|\n|\r\n|\r|\x00".split(b"|"),
        *b"\xef\xbb\xbf|\xff\xfe|\xfe\xff|\xe2\x80\xae|\xcc\x81".split(b"|"),
    ),
    "listing": (
        *rb'{ } [ ] " : , null true -1 1e999 99999999999999999999 "items" "id" "name" "total" "next" "artists"'.split(),
        *rb'"images" "release_date" "release_date_precision" "year" "2026-02-30" "0000" "external_urls" "url"'.split(),
        *rb'"spotify" "width" "total_tracks" "album_type" "error" "message" "reason" "access_token" "genres"'.split(),
        *rb'"expires_in" \ud800 \udc00 \u0000 \ NaN Infinity'.split(),
        b"\xed\xa0\x80",
    ),
    "config": (
        *rb"[ ] [[ ]] = { } . , # \ ''' true 1e400 inf nan 0x -0 _ 1979-05-27 spotify client_id client_secret".split(),
        *rb"client_secret_file hunter2hunter2 market database types album page_size concurrency log_file ~ ~x/".split(),
        *rb'exclude_titles sqlite:/// https:// http:// \u0000 \U0010ffff " """'.split(),
        *b"\n|\r\n|[spotify]\n".split(b"|"),
    ),
    "titles": (
        *b"( ) [ ] { } Deluxe Remastered 2011 Explicit Clean Live Remix Anniversary re-recorded slowed Version".split(),
        *b" - | feat. | ft. |featuring |Deluxe Edition|Part 2|sped up|speed up|\n|\x1b[2J|=1+1".split(b"|"),
        *(chr(code).encode() for code in (0xFDFA, 0x130, 0xDF, 0x2019, 0x2044, 0x1F468, 0x301, 0x315, 0x345)),
        *(chr(code).encode() for code in (0x1112, 0x1161, 0x200D, 0x202E)),
    ),
}


def inputs(name: str, corpus: Sequence[bytes], rng: random.Random) -> Iterator[bytes]:
    """Yield inputs for a target without end; the same corpus and dice give the same ones."""
    words, within, longest = WORDS[name], WITHIN.get(name), LONGEST.get(name, ELSE_LONGEST)
    while True:
        if within is not None and rng.random() < 0.5:
            yield within(corpus, rng)
            continue
        data = bytearray(rng.choice(corpus))
        for _ in range(min(int(rng.expovariate(0.4)) + 1, 12)):
            _change(data, corpus, words, rng)
            del data[longest:]
        yield bytes(data)


def _change(data: bytearray, corpus: Sequence[bytes], words: Sequence[bytes], rng: random.Random) -> None:
    at = rng.randrange(len(data) + 1)
    end = min(len(data), at + 1 + int(rng.expovariate(0.1)))
    chance = rng.random()
    if chance < 0.35:
        data[at:at] = rng.choice(words)
    elif chance < 0.5 and at < len(data):
        data[at] = rng.randrange(256)
    elif chance < 0.65:
        del data[at:end]
    elif chance < 0.75:
        data[at:end] = rng.choice(words)
    elif chance < 0.83:
        data[at:at] = data[at:end]
    elif chance < 0.85:
        data[at:at] = (bytes(data[at:end]) or rng.choice(words)) * rng.randrange(2, 200)
    elif chance < 0.95:
        other = rng.choice(corpus)
        start = rng.randrange(len(other) + 1)
        data[at:end] = other[start : start + 1 + int(rng.expovariate(0.03))]
    else:
        data[at:at] = chr(
            rng.choice((rng.randrange(0x300), rng.randrange(0xD800), rng.randrange(0xE000, 0x110000)))
        ).encode()


def _json(corpus: Sequence[bytes], rng: random.Random) -> bytes:
    try:
        document = json.loads(rng.choice(corpus))
    except (ValueError, RecursionError):
        document = {"items": [{"id": "a"}]}
    for _ in range(rng.randrange(1, 4)):
        document = _another(document, rng)
    return json.dumps(document).encode()


def _another(value: Any, rng: random.Random) -> Any:
    """Return a JSON value with something in it exchanged."""
    if isinstance(value, dict) and value and rng.random() < 0.95:
        key = rng.choice(list(value))
        return {**value, key: _another(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.9:
        at = rng.randrange(len(value))
        return [*value[:at], _another(value[at], rng), *value[at + rng.randrange(2) :]]
    return rng.choice(VALUES)


def _lines(corpus: Sequence[bytes], rng: random.Random) -> bytes:
    """Return a table of settings: lines of the corpus, values exchanged among them."""
    lines = [line for _ in range(3) for line in rng.choice(corpus).splitlines() if len(line) < 200]
    rng.shuffle(lines)
    pairs = [line.partition(b"=") for line in lines[: rng.randrange(1, 5)]]
    values = [value for _, sign, value in pairs if sign] or [b"1"]
    mixed = [key + sign + (rng.choice(values) if sign and rng.random() < 0.3 else value) for key, sign, value in pairs]
    return b"\n".join(mixed)


VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 10**30, "", "a", "2026", "2026-02-30", "0000-00-00", "0001-01-01", "9999-12-31", "year"),
    *("day", "javascript:x", "https://x", "\ud800", "\x00", "\u202e=1+1", "x" * 3000),
    *([], {}, [None], [[]], {"id": "a"}, {"id": ""}),
)
WITHIN: dict[str, Callable[[Sequence[bytes], random.Random], bytes]] = {"listing": _json, "config": _lines}
