"""Spotify's JSON as it comes, as it should not come, and as nobody should send it."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshwax.errors import CheckError
from freshwax.model import Credit, Precision, Ref, ReleaseDate
from freshwax.sources.spotify.parse import error_of, parse_candidates, parse_date, parse_page, token_of

ALBUM: dict[str, Any] = {
    "id": "r1",
    "name": "Ascent",
    "album_type": "ALBUM",
    "total_tracks": 12,
    "release_date": "2024-03-01",
    "release_date_precision": "day",
    "external_urls": {"spotify": "https://open.spotify.com/album/r1?x"},
    "images": [
        {"url": "https://i.test/640", "width": 640, "height": 640},
        {"url": "https://i.test/64", "width": 64, "height": 64},
        {"url": "https://i.test/300", "width": 300.0, "height": None},
    ],
    "artists": [{"id": "a1", "name": "Someone", "uri": "x"}, {"id": "a2", "name": "Else"}],
    "unheard_of": [{"x": None}],
}


def body(*items: Any, **more: Any) -> bytes:
    return json.dumps({"items": list(items), **more}).encode()


def refused(data: bytes) -> str:
    with pytest.raises(CheckError) as caught:
        parse_page(data, 0)
    assert (caught.value.code, caught.value.transient) == ("bad_data", False)
    return str(caught.value)


def lacking(item: dict[str, Any]) -> str | None:
    (entry,) = parse_page(body(item), 0).entries
    return entry.lacks


def only(item: dict[str, Any]) -> Any:
    (entry,) = parse_page(body(item), 0).entries
    return entry.release


def test_a_full_release_is_read_whole() -> None:
    release = only(ALBUM)

    assert release.ref == Ref("spotify", "r1")
    assert (release.title, release.type, release.total_tracks) == ("Ascent", "album", 12)
    assert release.artists == (Credit("a1", "Someone"), Credit("a2", "Else"))
    assert release.date == ReleaseDate("2024-03-01", Precision.DAY)
    assert release.url == "https://open.spotify.com/album/r1?x"
    assert release.image_url == "https://i.test/300"


def test_a_page_keeps_positions_total_next_and_etag() -> None:
    page = parse_page(body({"id": "a"}, None, {"id": "b"}, total=83, next="https://next"), 20, "tag")

    assert [(entry.position, entry.release.ref.id) for entry in page.entries] == [(20, "a"), (22, "b")]
    assert (page.total, page.more, page.etag, page.not_modified) == (83, True, "tag", False)


@pytest.mark.parametrize("more", [{}, {"total": None, "next": None}, {"total": -1, "next": ""}])
def test_a_page_may_be_empty_and_silent(more: dict[str, Any]) -> None:
    page = parse_page(body(**more), 0)

    assert (page.entries, page.total, page.more) == ((), None, False)


@pytest.mark.parametrize("absent", [True, False], ids=["missing", "null"])
def test_everything_but_the_id_may_be_missing_or_null(absent: bool) -> None:
    release = only({"id": "r1"} if absent else dict.fromkeys(ALBUM) | {"id": "r1"})

    assert (release.title, release.type, release.artists, release.date) == ("", "single", (), None)
    assert (release.url, release.image_url) == ("https://open.spotify.com/album/r1", None)
    assert release.total_tracks is None


@pytest.mark.parametrize("field", ["name", "album_type", "artists", "release_date"])
@pytest.mark.parametrize("absent", [True, False], ids=["missing", "null"])
def test_a_field_that_tells_a_release_from_others_is_missed(field: str, absent: bool) -> None:
    rest = {key: value for key, value in ALBUM.items() if key != field}
    assert lacking(rest if absent else rest | {field: None}) == field


@pytest.mark.parametrize("more", [{"name": ""}, {"release_date": "soon"}, {"images": None, "total_tracks": None}])
def test_an_empty_title_and_an_odd_date_are_what_they_are(more: dict[str, Any]) -> None:
    assert lacking(ALBUM | more) is None


def test_artists_without_ids_tell_no_release_from_others() -> None:
    assert lacking(ALBUM | {"artists": [None, {"name": "N"}]}) == "artists"


def test_null_artists_and_images_are_left_out() -> None:
    release = only({"id": "r", "artists": [None, {}, {"name": "N"}, {"id": "i"}], "images": [None, {}, {"url": None}]})

    assert release.artists == (Credit("", "N"), Credit("i", ""))
    assert release.image_url is None


def test_images_without_widths_give_the_first() -> None:
    assert only({"id": "r", "images": [{"url": "https://1"}, {"url": "https://2"}]}).image_url == "https://1"


def test_a_link_is_a_web_address_or_none() -> None:
    release = only({"id": "r", "external_urls": {"spotify": "javascript:alert(1)"}, "images": [{"url": "data:x"}]})

    assert (release.url, release.image_url) == ("https://open.spotify.com/album/r", None)


@pytest.mark.parametrize(
    ("value", "precision", "expected"),
    [
        ("2024-03-01", "day", ("2024-03-01", Precision.DAY)),
        ("2024-03", "month", ("2024-03", Precision.MONTH)),
        ("2024", "year", ("2024", Precision.YEAR)),
        ("2024-03", None, ("2024-03", Precision.MONTH)),
        ("2024", "century", ("2024", Precision.YEAR)),
        ("2024-03-01", "year", ("2024", Precision.YEAR)),
        ("2024", "day", ("2024", Precision.YEAR)),
        ("2024-02-30", "day", ("2024-02", Precision.MONTH)),
        ("2024-00-00", "day", ("2024", Precision.YEAR)),
        ("0000", "year", ("0000", Precision.YEAR)),
        ("0000-00-00", "day", ("0000", Precision.YEAR)),
        ("", "day", None),
        (None, None, None),
        (2024, "year", None),
        (["2024"], ["year"], None),
        ("24-03-01", "day", None),
        ("2024-3-1", "day", None),
        ("2024-03-01T00:00:00Z", "day", None),
        ("\uff12\uff10\uff12\uff14", "year", None),
    ],
)
def test_a_date_is_as_precise_as_its_text_and_its_precision_allow(value: Any, precision: Any, expected: Any) -> None:
    found = parse_date(value, precision)

    assert (None if found is None else (found.value, found.precision)) == expected


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{}", "`items`"),
        (b'{"items": null}', "`items`"),
        (body({"id": "a"}, {"name": "x"}), r"items[1].id"),
        (body({"id": ""}), r"items[0].id"),
        (body({"id": None}), r"items[0].id"),
        (body({"id": 7}), "str"),
        (body({"id": "a", "total_tracks": "12"}), "total_tracks"),
        (b'{"items": {}}', "array"),
        (b"[]", "object"),
        (b"<html><body>Log in to the hotel's network</body></html>", "not JSON"),
        (b"", "not JSON"),
        (b'{"items": [', "not JSON"),
        (b'{"items": [{"id": "\\ud800"}]}', "items[0].id"),
        (b'{"items": [{"id": "\xff\xfe"}]}', "items[0].id"),
        (b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not JSON"),
    ],
)
def test_what_is_needed_and_missing_is_bad_data_that_says_which(data: bytes, words: str) -> None:
    assert words in refused(data)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from([*ALBUM, "items", "next", "total", "spotify", "url", "x"]), inner)
        ),
    )
)
def test_any_json_is_a_page_or_bad_data(value: Any) -> None:
    for data in (
        json.dumps(value),
        json.dumps({"items": [value]}),
        json.dumps({"items": [{"id": "a", "images": value}]}),
    ):
        with suppress(CheckError):
            parse_page(data.encode("utf-8", "surrogatepass"), 0)


def test_a_search_gives_candidates_that_can_be_told_apart() -> None:
    items = [
        {"id": "1", "name": "Nova", "genres": ["pop", "rock", 3], "external_urls": {"spotify": "https://open/1"}},
        None,
        {"name": "no id"},
        {"id": "2"},
    ]

    found = parse_candidates(json.dumps({"artists": {"items": items}}).encode())

    assert [(one.id, one.name, one.hint) for one in found] == [
        ("1", "Nova", "https://open/1 (pop, rock)"),
        ("2", "", "https://open.spotify.com/artist/2"),
    ]


@pytest.mark.parametrize("data", [b"{}", b'{"artists": null}', b'{"artists": {}}', b"no"])
def test_a_search_without_artists_is_bad_data(data: bytes) -> None:
    with pytest.raises(CheckError, match="search result"):
        parse_candidates(data)


@pytest.mark.parametrize(
    ("data", "message", "reason"),
    [
        (b'{"error":{"status":404,"message":"Resource not found"}}', "Resource not found", ""),
        (b'{"error":{"status":429,"message":"m","reason":"QUOTA_EXCEEDED"}}', "m", "QUOTA_EXCEEDED"),
        (b'{"error":"invalid_client","error_description":"Invalid client"}', "Invalid client", "invalid_client"),
        (b'{"error":"invalid_client"}', "", "invalid_client"),
        (b'{"error":{"message":7,"reason":[]}}', "", ""),
        (b'{"error":null}', "", ""),
        (b"Too many requests", "Too many requests", ""),
        (b"<html>no</html>", "", ""),
        (b"\xff\x00\x1b[31m", "", ""),
        (b"", "", ""),
        (b"[1]", "", ""),
    ],
)
def test_an_error_body_says_what_it_can(data: bytes, message: str, reason: str) -> None:
    assert error_of(data) == (message, reason)


def test_a_token_lives_an_hour_unless_it_says_otherwise() -> None:
    assert token_of(b'{"access_token":"t","expires_in":1800}') == ("t", 1800)
    assert token_of(b'{"access_token":"t"}') == ("t", 3600)
    assert token_of(b'{"access_token":"t","expires_in":-5}') == ("t", 0)


@pytest.mark.parametrize(
    "data", [b"{}", b'{"access_token":""}', b'{"access_token":"a\\r\\nX: y"}', b"<html>", b'{"access_token":1}']
)
def test_what_is_no_token_is_bad_data(data: bytes) -> None:
    with pytest.raises(CheckError, match="token"):
        token_of(data)
