"""What ``freshwax replay`` reads from its command line, and what its help says below the options."""

from __future__ import annotations

import re
from typing import Any

import click

from freshwax.cli.values import Number

POLICIES = "adaptive,tiers,rotation,all"
BUDGETS = "40,80,160"
_EVERY = re.compile(r"([1-9][0-9]{0,2})([dh])")
MOST_FAILING = 0.9
EPILOG = """\b
Policies:
  adaptive, tiers  those of `track --smart-batch`; tiers spends what it spends
  rotation         who has waited longest
  miniflux         the feed reader's rule: by the entries of the last 365 days
  sqrt             by the square root of the rate of releases
  all              everybody, in every run
  oracle           who has something new: no policy can do better

\b
The table:
  a week, peak     requests a week on average; the dearest week over that
  delay, 50 % …    days until told: mean, median, and the slowest 10 and 1 %
  1st              share told by the first run after the release appeared
  gap              longest time between two checks of an artist, in days
  lost, twice      releases never told, or told again: 0, or it is a bug

\b
CSV of --data, one release a line:
  artist_id, release_id, title,
  type             album, single, compilation or appears_on
  release_date     2019, 2019-03 or 2019-03-08
  and if there are artist_name, date_precision (year, month, day), and
  appears_at       since when it was listed: 2019-03-08T06:30, in UTC
CSV of --artists: artist_id; for --complete-before completeness ("all", or
"since_oldest_single") and complete_from, a day, too.
"""


class Every(click.ParamType[float]):
    """A time between runs: ``7d``, ``1d``, ``1h``."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the time, in days."""
        found = _EVERY.fullmatch(str(value))
        if not found:
            self.fail(
                f"{value!r} is not a time between runs; write 1d to 999d, or 1h to 999h.",
                param,
                ctx,
            )
        return int(found[1]) / (24 if found[2] == "h" else 1)


class Share(click.ParamType[float]):
    """A share of the checks: ``0.05``."""

    name = "SHARE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the share."""
        try:
            share = float(value)
        except ValueError:
            share = -1.0
        if not 0 <= share <= MOST_FAILING:
            self.fail(f"{value!r} is not a share from 0 to {MOST_FAILING}; write 5 % as 0.05.", param, ctx)
        return share


class Budgets(click.ParamType[tuple[int | None, ...]]):
    """Checks a run, several with commas between; ``tiers`` (None): what tiers spend."""

    name = "N,N…"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int | None, ...]:
        """Read the budgets."""
        number = Number(1)
        parts = [part.strip() for part in str(value).split(",")]
        return tuple(dict.fromkeys(None if part == "tiers" else number.convert(part, param, ctx) for part in parts))


class Policies(click.ParamType[tuple[str, ...]]):
    """Names of policies with commas between."""

    name = "POLICY,…"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Read the names; which there are is known to the planner, which is imported only here."""
        from freshwax.replay.fast import REPLAYED

        names = tuple(dict.fromkeys(part.strip() for part in str(value).split(",")))
        for name in names:
            if name not in REPLAYED:
                self.fail(f"There is no policy {name!r}; there are {', '.join(REPLAYED)}.", param, ctx)
        return names
