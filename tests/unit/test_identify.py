"""What counts as an artist's ID, URI or link."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshwax.errors import UsageError
from freshwax.sources.spotify.identify import parse_artist_ref

ID = "0TnOYISbd1XYRBk9myaseg"


@pytest.mark.parametrize(
    "text",
    [
        ID,
        f"  {ID}\t",
        f"spotify:artist:{ID}",
        f"SPOTIFY:artist:{ID}",
        f"https://open.spotify.com/artist/{ID}",
        f"http://open.spotify.com/artist/{ID}/",
        f"open.spotify.com/artist/{ID}",
        f"https://open.spotify.com/artist/{ID}?si=abcDEF123&utm_source=copy-link",
        f"https://open.spotify.com/intl-de/artist/{ID}?si=x",
        f"https://open.spotify.com/intl-pt-BR/artist/{ID}",
        f"https://open.spotify.com/artist/{ID}#top",
        f"https://open.spotify.com/artist/{ID}/discography/all",
        f"https://open.spotify.com/embed/artist/{ID}",
        f"https://play.spotify.com/artist/{ID}",
        f"HTTPS://Open.Spotify.com/artist/{ID}",
    ],
)
def test_an_artist_is_found_in(text: str) -> None:
    assert parse_artist_ref(text) == ID


@pytest.mark.parametrize(
    "text",
    ["Sigur Rós", "", "10", "AC/DC", "!!!", "Spotify", "artist", "0TnOYISbd1XYRBk9myase", "a:b", "open spotify", "÷"],
)
def test_a_plain_name_is_none_of_these(text: str) -> None:
    assert parse_artist_ref(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"spotify:album:{ID}", "a Spotify album, not an artist"),
        (f"https://open.spotify.com/playlist/{ID}?si=1", "a Spotify playlist, not an artist"),
        (f"https://open.spotify.com/intl-fr/track/{ID}", "a Spotify track, not an artist"),
        (f"spotify:user:me:playlist:{ID}", "a Spotify playlist, not an artist"),
        ("https://open.spotify.com/artist/short", "no valid artist ID"),
        (f"spotify:artist:{ID}x", "no valid artist ID"),
        ("spotify:artist:", "no valid artist ID"),
        (f"https://open.spotify.com/artist/{ID[:-1]}é", "no valid artist ID"),
        ("spotify:", "not a Spotify artist URI"),
        ("https://open.spotify.com/", "does not lead to an artist"),
        ("open.spotify.com", "does not lead to an artist"),
        ("https://spotify.link/abc", "short link"),
        ("https://example.org/artist/1", "not an open.spotify.com link"),
        (f"https://open.spotify.com.evil.test/artist/{ID}", "not an open.spotify.com link"),
    ],
)
def test_what_is_meant_for_spotify_but_is_no_artist_is_named(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        parse_artist_ref(text)

    assert text[:20] in str(caught.value)


def test_a_message_is_short_and_has_no_control_characters() -> None:
    with pytest.raises(UsageError) as caught:
        parse_artist_ref("spotify:\x1b[31m" + "x" * 100_000)

    assert len(str(caught.value)) < 250
    assert "\x1b" not in str(caught.value)


@given(st.text())
def test_any_text_is_an_id_a_name_or_a_usage_error(text: str) -> None:
    try:
        found = parse_artist_ref(text)
    except UsageError:
        return
    assert found is None or (len(found) == 22 and found.isalnum() and found.isascii())
