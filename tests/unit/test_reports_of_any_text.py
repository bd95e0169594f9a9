# ruff: noqa: A002, A006 -- the formats of a report are called so
"""Reports and tables, whatever the text that is in them."""

import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.test_reports import NOW, report, told

from freshwax.model import Kind
from freshwax.reports.columns import RELEASES
from freshwax.reports.escape import visible, writable
from freshwax.reports.layout import Track, fit, line, pad, width, widths
from freshwax.reports.render import REPORT_FORMATS, render, render_list

texts = st.text(max_size=60) | st.text("\x00\x1b\x9b\u202e\r\n\t\ud800=+-@'\"漢👨‍\u0301 ab", max_size=60)
releases = st.builds(
    lambda id, title, artists, kind, date: told(kind, id=id, title=title, artists=artists, date=date),
    st.text("abc\n\x1b", min_size=1, max_size=22),
    texts,
    st.lists(texts, max_size=4),
    st.sampled_from(Kind),
    st.sampled_from(["2026-11-20", "2026-03", "1998", "0000", None]),
)
reports = st.lists(releases, max_size=5).map(lambda lines: report(*lines, notes=()))


@given(reports, st.sampled_from(REPORT_FORMATS), st.integers(1, 200))
def test_no_control_character_gets_out(shown, format, columns):
    text = render(shown, format, now=NOW, width=columns)
    allowed = {"\n", "\t"} if format == "tsv" else {"\n"}
    bad = {c for c in text if ord(c) < 32 or 127 <= ord(c) < 160 or 0xD800 <= ord(c) < 0xE000} - allowed
    assert not bad
    assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029") & set(text)
    text.encode()


@given(reports)
def test_json_says_exactly_what_the_release_said(shown):
    data = json.loads(render(shown, "json", now=NOW))
    whole = [re.sub("[\ud800-\udfff]", "\ufffd", line.release.title) for line in shown.lines]
    assert sorted(r["title"] for r in data["releases"]) == sorted(whole)


@given(reports, st.integers(60, 200))
def test_no_line_of_a_table_is_wider_than_the_terminal(shown, columns):
    body = render(shown, "table", now=NOW, width=columns).split("\n\n497 of")[0]
    assert all(width(row) <= columns for row in body.splitlines())


@given(reports)
def test_delimited_rows_have_every_column_and_no_formula(shown):
    rows = list(csv.reader(io.StringIO(render(shown, "csv", now=NOW))))
    tabbed = [row.split("\t") for row in render(shown, "tsv", now=NOW).split("\n")[:-1]]
    assert len(rows) == len(tabbed) == len(shown.lines) + 1
    for row in [*rows, *tabbed]:
        assert len(row) == len(RELEASES)
        assert not any(value.lstrip().startswith(("=", "+", "-", "@")) for value in row)


@given(st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=5), st.integers(30, 120))
def test_columns_stand_under_each_other(rows, total):
    rows = [[visible(text) for text in row] for row in rows]
    tracks = [Track(least=3), Track(right=True, least=3), Track(least=3)]
    sizes = widths(rows, tracks, total)
    assert sum(sizes) + 4 <= total
    for row in rows:
        padded = [pad(text, size) for text, size in zip(row, sizes, strict=True)]
        assert [width(text) for text in padded] == sizes
        assert width(line(row, tracks, sizes)) <= total


@given(texts, st.integers(0, 20))
def test_a_cut_text_fits(text, cells):
    assert width(fit(visible(text), cells)) <= cells


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "Sigur Rós… 雨"),
        ("cp1252", "Sigur Rós… \\u96e8"),
        ("latin-1", "Sigur Rós... \\u96e8"),
        ("ascii", "Sigur R\\xf3s... \\u96e8"),
        ("shift_jis", "Sigur R\\xf3s… 雨"),
    ],
)
def test_what_an_output_cannot_show_has_a_stand_in(encoding, shown):
    assert writable("Sigur Rós… 雨", encoding) == shown


@given(reports, st.integers(60, 200), st.sampled_from(["ascii", "latin-1", "cp1252", "utf-8"]))
def test_tables_are_cut_and_aligned_in_whatever_encoding(shown, columns, encoding):
    text = render(shown, "table", now=NOW, width=columns, encoding=encoding)
    body = text.split("\n\n497 of")[0]
    assert body.encode(encoding).decode(encoding) == body
    assert all(width(row) <= columns for row in body.splitlines())


@pytest.mark.parametrize(("encoding", "end"), [("ascii", "..."), ("utf-8", "…")])
def test_columns_keep_their_places_where_there_is_no_ellipsis(encoding, end):
    items = [told(title="Long Title " * 9), told(title="Rós"), told(title="Plain")]
    rows = render_list(items, RELEASES, "table", now=NOW, width=60, encoding=encoding).splitlines()
    assert end in rows[1]
    assert "\\u2026" not in "".join(rows)
    assert ("R\\xf3s" in rows[2]) == (encoding == "ascii")
    (column,) = {row.index("album") for row in rows[1:]}
    assert column == rows[0].index("TYPE" if "TYPE" in rows[0] else "type")


@given(texts, st.integers(0, 12))
def test_three_dots_fit_too(text, cells):
    assert width(fit(visible(text), cells, "...")) <= cells
