"""Histories from CSV files: what is read, and what each mistake is answered with."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import pytest

from freshwax.errors import UsageError
from freshwax.replay.histories import read_artists, read_world

HEADER = "artist_id,artist_name,release_id,title,type,release_date,date_precision,appears_at\n"
GOOD = "a,Ann,r1,One,single,2019-03-08,day,2019-03-08T06:30\n"


def written(folder: Path, text: str | bytes, name: str = "history.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_history_is_read_plain_or_gzipped_with_or_without_optional_columns(tmp_path: Path) -> None:
    plain = read_world(written(tmp_path, "\ufeff" + HEADER + GOOD))
    packed = read_world(written(tmp_path, gzip.compress((HEADER + GOOD).encode()), "history.csv.gz"))
    bare = read_world(written(tmp_path, "release_id,artist_id,title,type,release_date\nr1,a,One,album,2019-03\n"))

    assert plain.releases == packed.releases
    assert plain.releases[0].appears_at.isoformat() == "2019-03-08T06:30:00+00:00"
    assert bare.artists["a"].name == "a"
    assert bare.releases[0].appears_at.isoformat() == "2019-03-01T00:00:00+00:00"


def test_only_some_artists_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + GOOD + "b,Bob,r2,Two,single,2019,year,\n")

    assert set(read_world(path, frozenset({"b"})).artists) == {"b"}
    with pytest.raises(UsageError, match="no release of the artists asked for"):
        read_world(path, frozenset({"c"}))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty; its first line names the columns"),
        (HEADER, "holds no release"),
        ("artist_id,title\n", "line 1: the columns are missing: release_id, type, release_date"),
        ("artist_id,release_id,title,type\n", "line 1: the column is missing: release_date"),
        (HEADER + GOOD + "a,Ann,r2,Two,single,2019-02-30,day,\n", "line 3: '2019-02-30' is not a date"),
        (HEADER + "a,Ann,r2,Two,single,0000,year,\n", "line 2: '0000' is not a date"),
        (HEADER + "a,Ann,r2,Two,single,8.3.2019,day,\n", "line 2: '8.3.2019' is not a date"),
        (HEADER + "a,Ann,r2,Two,single,,day,\n", "line 2: release_date is empty"),
        (HEADER + ",Ann,r2,Two,single,2019,year,\n", "line 2: artist_id is empty"),
        (HEADER + "a,Ann,,Two,single,2019,year,\n", "line 2: release_id is empty"),
        (HEADER + "a,Ann,r2,Two,ep,2019,year,\n", "line 2: the type 'ep' is none of album, single"),
        (HEADER + "a,Ann,r2,Two,single,2019,week,\n", "line 2: the date_precision 'week' is none of"),
        (HEADER + "a,Ann,r2,Two,single,2019,year,soon\n", "line 2: appears_at 'soon' is not an instant"),
        (HEADER + "a,Ann,r2,Two, too,single,2019,year,,\n", "line 2: there are more cells than columns"),
        (HEADER + 'a,Ann,r2,"Two"x,single,2019,year,\n', "line 2: this is not CSV"),
        (HEADER + GOOD + 'a,Ann,r2,"Two,single,2019,year,\n' + GOOD, "line 3: this is not CSV (a quote that begins"),
        ('"artist_id,title\n', "line 1: this is not CSV (a quote that begins"),
        (HEADER + "\n\na,Ann,r2,Two,single,2019-02-30,day,\n", "line 4: '2019-02-30' is not a date"),
        (HEADER + "a,Ann\n", "line 2: release_id is empty"),
        (HEADER.encode() + b"a,\xff\xfe,r2,Two,single,2019,year,\n", "is not text in UTF-8"),
        (gzip.compress(HEADER.encode())[:-9], "is a damaged gzip file"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_line(tmp_path: Path, text: str | bytes, says: str) -> None:
    with pytest.raises(UsageError) as told:
        read_world(written(tmp_path, text))

    assert says in str(told.value)
    assert "history.csv" in str(told.value)


def test_missing_columns_are_listed_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as told:
        read_world(written(tmp_path, "name,day\n"))

    assert str(told.value).count("release_id") == 1


def test_a_file_that_is_not_there_or_is_a_folder_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.csv", tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            read_world(path)


def test_artists_are_chosen_by_where_their_history_begins(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "artist_id,completeness,complete_from\na,all,2019-05-01\nb,since_oldest_single,2017-01-01\n"
        "c,since_oldest_single,2018-01-01\nd,albums_only,\n",
    )

    assert read_artists(path) == {"a", "b", "c", "d"}
    assert read_artists(path, date(2018, 1, 1)) == {"a", "b"}
    with pytest.raises(UsageError, match="the columns are missing: completeness, complete_from"):
        read_artists(written(tmp_path, "artist_id\na\n"), date(2018, 1, 1))
