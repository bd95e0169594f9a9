"""The four readers of text from outside hold what ``targets`` says: over the corpus, by chance, by hypothesis.

``benchmarks/fuzz.py`` tries a million inputs; this is what every run of the tests tries.
"""

from __future__ import annotations

import json
import random
from itertools import islice

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.fuzz.mutate import inputs
from tests.fuzz.targets import CORPUS, TARGETS, artists, config, corpus, listing, titles

names = st.sampled_from(["items", "id", "name", "artists", "images", "url", "width", "total", "next", "release_date",
                         "release_date_precision", "album_type", "external_urls", "spotify", "error", "x"])  # fmt: skip
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["2026-02-30", "0000", "day"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6),
    max_leaves=12,
)
albums = st.lists(st.none() | st.dictionaries(names, values, max_size=6), max_size=4)


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_is_taken_or_refused(name: str) -> None:
    assert {TARGETS[name](data) for data in corpus(name)} == {True, False}, (
        "it holds both what is taken and what is not"
    )


@pytest.mark.parametrize("name", TARGETS)
def test_what_chance_makes_of_the_corpus(name: str) -> None:
    for data in islice(inputs(name, list(corpus(name)), random.Random(f"{name} test")), 2000):
        TARGETS[name](data)


def test_the_corpus_is_small_and_holds_nothing_twice() -> None:
    assert sum(path.stat().st_size for path in CORPUS.rglob("*")) < 200_000
    for name in TARGETS:
        kept = list(corpus(name))
        assert len(kept) == len(set(kept)) > 10


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_bytes_for_the_artist_file(data: bytes) -> None:
    artists(data)
    artists(b"id,name\n" + data)


@given(albums, st.booleans())
@example([{"id": "a", "name": "\ud800", "release_date": "0000"}], False)
def test_json_for_the_listing(items: list[object], ascii_only: bool) -> None:
    listing(json.dumps({"items": items, "total": len(items)}, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass"))
    listing(json.dumps({"artists": {"items": items}}).encode())


@given(
    st.text(max_size=100), st.sampled_from(["market", "spotify.client_secret", "types", "log_file", "heartbeat", "x"])
)
def test_text_for_the_settings(text: str, key: str) -> None:
    config(f"{key} = {json.dumps(text)}\n".encode())
    config(f"{key} = {text}\n".encode("utf-8", "replace"))
    config(f"{key} = [{json.dumps(text)}, {{ a = {json.dumps(text)} }}]\n".encode())


@given(st.text(max_size=120), st.text("()[]{} -–feat.Deluxe1½ﷺİͅ\u0301\u200d\n", max_size=60))
def test_text_for_the_titles(one: str, other: str) -> None:
    for title in (one, other, f"{one} ({other})", f"{other} - {one}", f"{one} feat. {other}"):
        titles(title.encode("utf-8", "replace"))
