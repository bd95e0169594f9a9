"""What ``explain`` says: titles for people, not IDs alone; words, not codes."""

from datetime import UTC, datetime, timedelta

import pytest

from freshwax.cli import stories
from freshwax.discovery.forgetting import tombstone
from freshwax.model import (
    Artist,
    ArtistState,
    Credit,
    Group,
    Kind,
    Known,
    Precision,
    Ref,
    Release,
    ReleaseDate,
    Silence,
)
from freshwax.reports.words import FAILURES
from freshwax.store.base import Change, Story, Telling

NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
MIRA = Artist(Ref("spotify", "m"), "Mira", ArtistState.ACTIVE, NOW, checked_at=NOW)


def release(key: str, title: str) -> Release:
    date = ReleaseDate("2026-11-20", Precision.DAY)
    return Release(Ref("spotify", key), title, "album", (Credit("m", "Mira"),), date)


CLEAN, EXPLICIT = release("clean", "Tides"), release("explicit", "Tides\x1b[1m")


def story(kind: Kind | None, silence: Silence | None, *, told: bool = False) -> Story:
    known = Known(CLEAN, Group.ALBUM, "k", "", NOW, kind, silence, EXPLICIT.ref, EXPLICIT.ref)
    tellings = (Telling("stdout", kind, NOW, 7, None), Telling("stdout", kind, NOW, 8, None)) if told and kind else ()
    change = Change(NOW - timedelta(days=1), "release_date", "2026-11-19", "2026-11-20")
    return Story(CLEAN, NOW, ((MIRA, known),), (), tellings, (change,))


@pytest.mark.parametrize(
    ("kind", "silence", "said"),
    [
        (None, Silence.TWIN, "the same release as 'Tides"),
        (None, Silence.RELISTED, "took the place of 'Tides"),
        (Kind.EDITION, None, "another edition of 'Tides"),
    ],
)
def test_another_release_is_named_by_its_title(kind: Kind | None, silence: Silence | None, said: str) -> None:
    lines = stories.tell(story(kind, silence), [MIRA], None, NOW, {EXPLICIT.ref: EXPLICIT})
    assert stories.related(story(kind, silence)) == {EXPLICIT.ref}
    text = "\n".join(lines)
    assert said in text
    assert "(explicit)" in text
    assert "\x1b" not in text


def test_words_for_kinds_and_fields() -> None:
    lines = stories.tell(story(Kind.BACK_CATALOGUE, None, told=True), [MIRA], None, NOW)
    assert lines.count("Told on 22 November as back catalogue.") == 1
    assert lines[-1] == "Since 21 November its release date is '2026-11-20'; it was '2026-11-19'."


def test_what_is_forgotten_says_so_and_by_which_setting() -> None:
    plain = story(None, Silence.TWIN)
    forgotten = Story(tombstone(CLEAN), NOW, plain.decided, (), (), ())
    lines = stories.tell(forgotten, [], None, NOW, {EXPLICIT.ref: tombstone(EXPLICIT)})
    assert lines[0] == "clean (album, dated 20 November), first seen on 22 November."
    assert lines[1].startswith("Its title, artists and links are no longer kept: the setting retention.releases")
    assert "it is the same release as explicit." in lines[2]


def test_what_is_held_waits_for_a_decision() -> None:
    lines = stories.tell(story(None, Silence.HELD), [MIRA], None, NOW)
    assert "held back" in lines[1]
    assert lines[2] == "It was never told, and waits for your decision."


def test_the_checks_of_the_artist_that_is_asked_for_are_told_of_in_any_case() -> None:
    checks = "Mira: the last good check was just now; "
    assert not any(checks in line for line in stories.tell(story(Kind.NEW, None), [MIRA], None, NOW))
    assert any(line.startswith(checks) for line in stories.tell(story(Kind.NEW, None), [MIRA], None, NOW, {}, MIRA))


def test_words_for_failures() -> None:
    failing = Artist(MIRA.ref, "Mira", ArtistState.ACTIVE, NOW, checked_at=NOW, failures=2, failure="bad_data")
    assert stories.checks(failing, None, NOW).endswith("2 failed since, the last: an answer that makes no sense.")
    assert all("_" not in words for words in FAILURES.values())
