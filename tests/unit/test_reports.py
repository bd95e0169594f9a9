# ruff: noqa: A001, A002 -- the fields of a release are called so
import csv
import io
import itertools
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from freshwax.discovery.forgetting import tombstone
from freshwax.model import (
    Artist,
    ArtistState,
    Cost,
    Coverage,
    Credit,
    Kind,
    Line,
    Mode,
    Precision,
    Ref,
    Release,
    ReleaseDate,
    Report,
    Run,
    RunStatus,
)
from freshwax.planning.activity import Frequency, Profile
from freshwax.reports.columns import ARTISTS, RELEASES, RUNS
from freshwax.reports.escape import cell, visible
from freshwax.reports.plans import PROFILES, plan_summary, profile_words
from freshwax.reports.render import REPORT_FORMATS, render, render_list
from freshwax.reports.summary import failed_note, gone_note, held_note, nothing, paused_note, summary

NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


class TABBED(csv.excel_tab):
    quoting = csv.QUOTE_NONE


PRECISIONS = {4: Precision.YEAR, 7: Precision.MONTH, 10: Precision.DAY}


def release(id="r1", title="Tides", artists=("Mira",), date="2026-11-20", type="album"):
    credits = tuple(Credit(f"id-{name}", name) for name in artists)
    when = ReleaseDate(date, PRECISIONS[len(date)]) if date else None
    return Release(Ref("spotify", id), title, type, credits, when, f"https://open.spotify.com/album/{id}", None, 10)


def told(kind=Kind.NEW, seen=NOW, hidden_by=None, **facts):
    return Line(release(**facts), kind, seen, hidden_by)


def report(*lines, mode=Mode.INCREMENTAL, status=RunStatus.COMPLETED, notes=(), **coverage):
    coverage = {"artists": 500, "checked": 497, "failed": 3, "oldest_check": NOW - timedelta(days=9)} | coverage
    run = Run(
        7, mode, status, "US", NOW - timedelta(seconds=30), NOW, Coverage(**coverage), Cost(512, 400, 9000, 30.12)
    )
    return Report(1, "stdout", mode, run, lines, notes)


def test_a_table_by_example():
    shown = render(
        report(
            told(id="a", title="Tides", date="2026-11-20"),
            told(id="b", title="Old Light", artists=("Ada", "Bo"), date="2026-03-01", kind=Kind.LATE, type="single"),
            told(id="c", title="Soon", date="2026-12-04", kind=Kind.UPCOMING),
            told(id="d", title="Tides (Deluxe)", date="2026-11-21", kind=Kind.EDITION),
            told(id="e", title="First Tapes", date="1998", kind=Kind.BACK_CATALOGUE),
            notes=("Failed: Kit (timeout). They stay due.",),
        ),
        "table",
        now=NOW,
    )
    assert shown == (
        "New releases (2)\n"
        "  2026-11-20  album   Mira     Tides\n"
        "  2026-03-01  single  Ada, Bo  Old Light\n"
        "              dated 1 March, appeared today\n"
        "\n"
        "Upcoming (1)\n"
        "  2026-12-04  album   Mira     Soon\n"
        "\n"
        "Other editions of what you know (1)\n"
        "  2026-11-21  album   Mira     Tides (Deluxe)\n"
        "\n"
        "Older releases that appeared now (1)\n"
        "  1998        album   Mira     First Tapes\n"
        "\n"
        "497 of 500 artists checked, 3 failed; oldest check 9 days ago; market US; 512 requests\n"
        "Failed: Kit (timeout). They stay due.\n"
    )


def test_the_json_object_has_exactly_the_promised_keys():
    data = json.loads(render(report(told()), "json", now=NOW))
    assert data == {
        "run": {
            "id": 7,
            "mode": "incremental",
            "status": "completed",
            "market": "US",
            "started_at": "2026-11-22T14:04:30Z",
            "finished_at": "2026-11-22T14:05:00Z",
        },
        "coverage": {
            "artists": 500,
            "checked": 497,
            "fresh": 0,
            "not_due": 0,
            "failed": 3,
            "paused": 0,
            "oldest_check": "2026-11-13T14:05:00Z",
            "history_incomplete": 0,
        },
        "cost": {"requests": 512, "not_modified": 400, "bytes_received": 9000, "seconds": 30.12},
        "releases": [
            {
                "id": "r1",
                "source": "spotify",
                "title": "Tides",
                "type": "album",
                "artists": [{"id": "id-Mira", "name": "Mira"}],
                "release_date": "2026-11-20",
                "date_precision": "day",
                "kind": "new",
                "first_seen_at": "2026-11-22T14:05:00Z",
                "url": "https://open.spotify.com/album/r1",
                "image_url": None,
                "total_tracks": 10,
            }
        ],
        "held": [],
    }


def test_what_is_held_back_is_in_the_data_and_no_plain_nothing_new():
    kit = Artist(Ref("spotify", "abc"), "Kit", ArtistState.ACTIVE, NOW)
    held = replace(report(), held=((kit, 40),))
    assert json.loads(render(held, "json", now=NOW))["held"] == [{"artist": {"id": "abc", "name": "Kit"}, "count": 40}]
    table = render(held, "table", now=NOW)
    assert table.startswith("Nothing new, but for 40 releases held back.\n")
    assert "`freshwax release-held abc` tells them." in table
    partial = render(replace(held, run=report(status=RunStatus.PARTIAL).run), "table", now=NOW)
    assert partial.startswith("Nothing new among the artists that were checked, but for 40 releases held back.\n")


def test_what_a_filter_hides_is_in_no_format_but_counted():
    hidden = report(told(id="hidden", title="Hidden", hidden_by="kinds"))
    for format in REPORT_FORMATS:
        assert "idden\n" not in render(hidden, format, now=NOW)
    assert "Your filters hid 1 release: that counts as told." in render(hidden, "table", now=NOW)


def test_what_is_forgotten_is_named_by_its_id():
    line = told()
    forgotten = report(replace(line, release=tombstone(line.release)))
    table = render(forgotten, "table", now=NOW, width=80, colour=False)
    assert "  2026-11-20  album    r1 (no longer kept)" in table
    (entry,) = json.loads(render(forgotten, "json", now=NOW, width=80, colour=False))["releases"]
    assert (entry["id"], entry["title"], entry["artists"], entry["url"]) == ("r1", "", [], None)


def test_ids_are_plain_and_one_a_line():
    assert render(report(told(id="a", date="2026-01-01"), told(id="b")), "ids", now=NOW) == "b\na\n"
    assert render(report(), "ids", now=NOW) == ""


def test_csv_and_tsv_hold_a_heading_and_a_line_a_release():
    lines = [told(id="a", title='Say "hi", twice', artists=("Ada", "Bo"))]
    rows = list(csv.DictReader(io.StringIO(render(report(*lines), "csv", now=NOW))))
    assert [(row["id"], row["title"], row["artists"]) for row in rows] == [("a", 'Say "hi", twice', "Ada; Bo")]
    head, row = render(report(*lines), "tsv", now=NOW).splitlines()
    assert head.split("\t") == [column.key for column in RELEASES]
    assert row.split("\t")[:4] == ["a", "spotify", 'Say "hi", twice', "album"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\uff1d1", '"=1"', ' " =1'])
def test_no_cell_is_a_formula(text):
    assert cell(text).startswith("'")


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\uff1d", " =", '"=', ' " =', ";=", '";"='])
def test_no_cell_holds_a_formula_for_those_who_split_at_semicolons(begin):
    title = f"Hits;{begin}cmd|' /C calc'!A0"
    lines = [told(title=title, artists=("Ada", "=1+1"))]
    for format in ("csv", "tsv"):
        row = render(report(*lines), format, now=NOW).splitlines()[1]
        for value in [*next(csv.reader([row], delimiter=";")), *row.split(";")]:
            assert not re.match(r"[\s\"]*[=+@\uff1d-]", value), value


@pytest.mark.parametrize(
    "title",
    ["Steins;Gate", "Pride; Prejudice", 'Say "hi"; twice', "; ;", "a;b=c;-", "Tides;", "Hello, +World", "A-B=C"],
)
def test_ordinary_titles_come_back_as_they_are(title):
    lines = [told(title=title, artists=("Ada", "Bo; Cy"))]
    text = render(report(*lines), "csv", now=NOW)
    row = next(csv.DictReader(io.StringIO(text)))
    assert (row["title"], row["artists"]) == (title.replace(";-", ";'-"), "Ada; Bo; Cy")
    (tabbed,) = list(csv.DictReader(io.StringIO(render(report(*lines), "tsv", now=NOW)), dialect=TABBED))
    assert tabbed == row
    if ";" in title:
        assert f'"{row["title"].replace(chr(34), chr(34) * 2)}"' in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb\tc\r\nd", "a b c d"),
        ("\x9b2J", "\\x9b2J"),
        ("abc\u202etxt", "abc\\u202etxt"),
        ("\ud800", "\\ud800"),
        ("Sigur Rós 👨‍👩‍👧 עברית", "Sigur Rós 👨‍👩‍👧 עברית"),
    ],
)
def test_control_characters_are_spelt_out(text, shown):
    assert visible(text) == shown


def test_an_error_never_looks_like_nothing_new():
    assert "Nothing new.\n" in render(report(), "table", now=NOW)
    partial = render(report(status=RunStatus.PARTIAL), "table", now=NOW)
    assert "Nothing new among the artists that were checked." in partial
    failed = render(report(status=RunStatus.FAILED, checked=0, failed=500), "table", now=NOW)
    assert "what is new is not known" in failed


def test_the_summary_names_what_is_missing():
    lines = summary(
        report(
            mode=Mode.REPEAT,
            status=RunStatus.PAUSED,
            checked=10,
            failed=0,
            paused=480,
            not_due=10,
            history_incomplete=4,
        ),
        NOW,
    )
    assert "the last report again" in lines[0]
    assert lines[1].startswith("10 of 500 artists checked, 10 not due, 480 left; oldest check 9 days ago")
    assert lines[2].startswith("History incomplete for 4 artists")


def test_a_run_without_an_end_claims_nothing():
    running = report(status=RunStatus.RUNNING, artists=0, checked=0, failed=0)
    assert summary(running, NOW) == ["Run 7 is still under way: what else it finds is told when it has ended."]
    assert nothing(running) == "What is new is not known yet."
    killed = report(status=RunStatus.FAILED, artists=0, checked=0, failed=0)
    assert nothing(killed) == "No artist could be checked: what is new is not known."


def test_the_table_of_runs_fits_into_80_columns():
    for mode, status in itertools.product(Mode, RunStatus):
        run = report(mode=mode, status=status, artists=500, checked=500).run
        table = render_list([run], RUNS, "table", now=NOW, width=80)
        assert max(map(len, table.splitlines())) <= 80
        assert "500/500" in table


def test_the_table_of_releases_fits_into_80_columns():
    for kind, type in itertools.product(Kind, ("album", "single", "compilation")):
        long = release(
            id="7piEkkBzvohFn8Lez4V8QL", title="A Title of Some Length", artists=("A Band of Many",), type=type
        )
        table = render_list([Line(long, kind, NOW)], RELEASES, "table", now=NOW, width=80)
        assert max(map(len, table.splitlines())) <= 80


@pytest.mark.parametrize("title", ["", " ", "\u200b", "\u3164"])
def test_a_release_without_a_title_is_named_by_its_id(title):
    untitled = told(id="r1", title=title)
    assert "r1 (no title)" in render(report(untitled), "table", now=NOW)
    assert "r1 (no title)" in render_list([untitled], RELEASES, "table", now=NOW, width=120)
    assert json.loads(render(report(untitled), "json", now=NOW))["releases"][0]["title"] == title


def test_of_a_killed_run_no_figures_are_claimed():
    killed = Run(3, Mode.INCREMENTAL, RunStatus.FAILED, "US", NOW, error="killed")
    table = render_list([killed], RUNS, "table", now=NOW, width=80)
    assert "0/0" not in table
    assert re.search(r"failed +\S+ \S+ \S+ +- +0 +0 +-$", table, re.MULTILINE), table


def test_what_is_known_reaches_back_to_the_last_release():
    mira = Artist(Ref("spotify", "m"), "Mira", ArtistState.ACTIVE, NOW, learnt=True)
    profile = Profile(mira, last_release_days_ago=2195, avg_releases_per_year=0.2, release_frequency=Frequency.INACTIVE,
                      recommended_check_interval_days=90, releases=1, observed_days=2190)  # fmt: skip
    assert "1 release in 6 years known, the last 6 years ago" in profile_words(profile)
    assert "1 in 6 years" in render_list([profile], PROFILES, "table", now=NOW, width=100)


@pytest.mark.parametrize(
    ("picked", "days", "unchecked", "said"),
    [
        (4, 41, 0, "after it no check is older than 41 days."),
        (4, 1, 36, "after it no check is older than 1 day and 36 artists are not checked yet."),
        (4, None, 1, "after it 1 artist is not checked yet."),
        (4, None, 0, "after it every check is new."),
        (0, None, 0, "nobody else is waiting."),
        (0, None, 2, "2 artists are not checked yet."),
    ],
)
def test_what_a_plan_leaves_is_a_sentence(picked, days, unchecked, said):
    oldest = None if days is None else NOW - timedelta(days=days)
    text = plan_summary(picked=picked, active=40, requests=4, oldest=oldest, unchecked=unchecked, now=NOW)
    assert text == f"{picked} of 40 artists would be asked, about 4 requests; {said}"


def test_the_notes():
    assert paused_note(312, 500) == "312 of 500 artists learnt so far."
    assert failed_note([("Kit", "timeout")]) == "Failed: Kit (timeout). They stay due."
    assert gone_note(["Kit"]).startswith("Gone from the service: Kit. It is looked for now and then")
    assert failed_note([("Kit", "Kit: no answer")]) == "Failed: Kit (no answer). They stay due."
    assert "and 2 more" in failed_note([("Kit", "timeout")] * 12)
    outage = [("Kit", "no answer"), ("Mira", "Mira: HTTP 404"), ("Ola", "no answer")]
    assert failed_note(outage) == "Failed: Kit, Ola (no answer); Mira (HTTP 404). They stay due."
    many = failed_note([(f"A{n}", "no answer") for n in range(30)])
    assert many.count("no answer") == 1
    assert many.endswith("A9 and 20 more (no answer). They stay due. `freshwax artists list` names all.")
    assert "`freshwax release-held abc`" in held_note("Kit", "abc", 40)


@pytest.mark.parametrize(
    ("date", "seen", "words"),
    [
        ("2026-03-01", NOW, "dated 1 March, appeared today"),
        ("2026-03", NOW - timedelta(days=1), "dated March 2026, appeared yesterday"),
        ("2025-12-31", NOW - timedelta(days=3), "dated 31 December 2025, appeared 19 November"),
        ("2024", NOW, "dated 2024, appeared today"),
    ],
)
def test_a_late_release_says_so(date, seen, words):
    assert words in render(report(told(date=date, seen=seen, kind=Kind.LATE)), "table", now=NOW)


def test_bold_only_when_asked():
    assert "\x1b" not in render(report(told()), "table", now=NOW)
    assert "\x1b[1m" in render(report(told()), "table", now=NOW, colour=True)


def test_lists():
    artist = Artist(Ref("spotify", "x"), "Mira\x1b", ArtistState.ACTIVE, NOW, NOW - timedelta(days=3), failures=0)
    table = render_list([artist], ARTISTS, "table", now=NOW)
    assert table.splitlines()[1].split() == ["x", "Mira\\x1b", "active", "3", "days", "ago"]
    assert json.loads(render_list([artist], ARTISTS, "json", now=NOW))[0]["checked_at"] == "2026-11-19T14:05:00Z"
    run = report().run
    assert render_list([run], RUNS, "tsv", now=NOW).splitlines()[1].startswith("7\tincremental\tcompleted\tUS\t")
    assert json.loads(render_list([told()], RELEASES, "json", now=NOW))[0]["artists"][0]["name"] == "Mira"
