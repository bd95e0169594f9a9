"""What the list of patterns shows, and the table of one artist's."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from freshwax.reports.columns import Column, Value

NO_PATTERN = "no pattern"


class Finding(Struct, frozen=True):
    """One pattern of one artist, in words and in numbers.

    ``finding`` is None where nothing is claimed, and ``why`` then says so in words; ``short`` is the finding in the few
    letters that a column of many patterns has. The scores (``measure`` names them;
    lower is better) are None where there was too little history for a test.
    """

    pattern: str
    finding: str | None
    why: str | None
    values: dict[str, object]
    measure: str
    held_back: int | None = None
    own: float | None = None
    base: float | None = None
    peers: float | None = None
    short: str | None = None


class Findings(Struct, frozen=True):
    """All patterns of one artist, by name."""

    id: str
    name: str | None
    releases: int
    last: str | None
    announced: str | None
    found: dict[str, Finding]


# The patterns in the order of the table, with their headings and the values that CSV and TSV hold.
PATTERNS: dict[str, tuple[str, ...]] = {
    "weekday": ("day", "confidence"),
    "months": ("months",),
    "gap": ("median_days", "low_days", "high_days"),
    "albums": ("median_days", "low_days", "high_days"),
    "leads": ("typical", "mean"),
    "window": ("first", "last", "probability"),
}


# How narrow the table may make them; with all six columns, 16 of 80 letters are a name's at the least.
LEAST_NAME, LEAST_MONTHS = 16, 9


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _cell(value: object) -> Value:
    if isinstance(value, list):
        return " ".join(str(one) for one in value)
    return value if isinstance(value, str | int | float) else None


def _value(pattern: str, key: str) -> Column[Findings]:
    return Column(f"{pattern}_{key}", lambda row: _cell(row.found[pattern].values.get(key)), in_json=False)


def _scores(pattern: str) -> list[Column[Findings]]:
    return [
        Column(f"{pattern}_held_back", lambda row: row.found[pattern].held_back, in_json=False),
        Column(f"{pattern}_score", lambda row: _rounded(row.found[pattern].own), in_json=False),
        Column(f"{pattern}_peers_score", lambda row: _rounded(row.found[pattern].peers), in_json=False),
    ]


def _words(pattern: str, *, shown: bool) -> Column[Findings]:
    return Column(
        pattern,
        lambda row: row.found[pattern].finding or NO_PATTERN,
        pattern if shown else None,
        least=LEAST_MONTHS if pattern == "months" else None,
        shown=lambda row, _now: row.found[pattern].short or "-",
        nested=lambda row: _object(row, pattern),
    )


def _object(row: Findings, pattern: str) -> dict[str, object]:
    one = row.found[pattern]
    return {
        "claimed": one.finding is not None,
        **one.values,
        "measure": one.measure,
        "held_back": one.held_back,
        "score": _rounded(one.own),
        "base_score": _rounded(one.base),
        "peers_score": _rounded(one.peers),
    }


def all_patterns(rows: Sequence[Findings]) -> tuple[Column[Findings], ...]:
    """Return the columns of a list of artists; its table shows only the patterns that one of them has."""
    claimed = {pattern for row in rows for pattern, one in row.found.items() if one.finding is not None}
    return (
        Column("id", lambda row: row.id),
        Column("name", lambda row: row.name, "name", least=LEAST_NAME, shown=lambda row, _now: row.name or row.id),
        Column("releases", lambda row: row.releases, None if claimed else "release days", right=True),
        Column("last_release", lambda row: row.last, None if claimed else "last"),
        Column("announced", lambda row: row.announced),
        *(_words(pattern, shown=pattern in claimed) for pattern in PATTERNS),
        *(_value(pattern, key) for pattern, keys in PATTERNS.items() for key in keys),
        *(column for pattern in PATTERNS for column in _scores(pattern)),
        Column("window_base_score", lambda row: _rounded(row.found["window"].base), in_json=False),
    )


def _score(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _verdict(row: Finding) -> str:
    return row.finding or f"{NO_PATTERN}: {row.why}"


def _values(row: Finding) -> str:
    return "; ".join(f"{key}={_cell(value)}" for key, value in row.values.items())


ONE_ARTIST: tuple[Column[Finding], ...] = (
    Column("pattern", lambda row: row.pattern, "pattern"),
    Column("claimed", lambda row: int(row.finding is not None), nested=lambda row: row.finding is not None),
    Column("finding", lambda row: row.finding, "finding", least=12, shown=lambda row, _now: _verdict(row)),
    Column("why", lambda row: row.why),
    Column("values", _values, nested=lambda row: row.values),
    Column("measure", lambda row: row.measure, "score"),
    Column("held_back", lambda row: row.held_back, "tests", right=True),
    Column("score", lambda row: _rounded(row.own), "own", right=True, shown=lambda row, _now: _score(row.own)),
    Column("base_score", lambda row: _rounded(row.base), "base", right=True, shown=lambda row, _now: _score(row.base)),
    Column(
        "peers_score", lambda row: _rounded(row.peers), "peers", right=True, shown=lambda row, _now: _score(row.peers)
    ),
)
