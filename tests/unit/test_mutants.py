"""Does the suite bite? Every mistake that loses or repeats releases elsewhere, made here, must fail a named test.

A mutant is a text in the source and what to put in its place. The text must be there exactly once, so that a mutant
that no longer fits the code says so instead of passing for killed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
NEW = "tests/unit/test_what_is_new.py"
WALK = "tests/unit/test_listing_walk.py"
RELISTED = "tests/unit/test_relisted.py"
HELD = "tests/unit/test_release_held.py"


class Mutant(NamedTuple):
    mistake: str
    file: str
    text: str
    instead: str
    killed_by: str


MUTANTS = [
    Mutant(
        "one global watermark",
        "discovery/classify.py",
        "previous=_past(mark.checked_at, moment) if mark and not begins else None,",
        "previous=moment.now if mark and not begins else None,",
        f"{NEW}::test_a_failed_check_moves_nothing",
    ),
    Mutant(
        "date as identity",
        "discovery/classify.py",
        "            if listed.release.ref.id not in follow.known:\n                found",
        "            if listed.release.date not in {one.release.date for one in follow.known.values()}:\n"
        "                found",
        f"{NEW}::test_a_second_release_of_the_same_day_is_told",
    ),
    Mutant(
        "told through A silences B after silent learning",
        "store/queries/checks.sql",
        "r.id = d.announced_id\nWHERE asked",
        "r.id = coalesce(d.announced_id, asked.id)\nWHERE asked",
        "tests/contract/test_checks.py::test_announced_finds_by_ref_and_by_key",
    ),
    Mutant(
        "watermark moved on failure",
        "tracking/run.py",
        "        record_failure(self.store, artist, failure, self.moment)\n",
        "        record_failure(self.store, artist, failure, self.moment)\n"
        "        commit(self.store, _nothing(self.store, artist), self.moment, ())\n",
        f"{NEW}::test_a_failed_check_moves_nothing",
    ),
    Mutant(
        "report marked before it is printed",
        "tracking/report.py",
        "    return store.save_report(",
        "    return _told_at_once(store, now,",
        f"{NEW}::test_nothing_is_told_before_it_is_told",
    ),
    Mutant(
        "horizon ignored",
        "discovery/horizon.py",
        "    if mark is None or mark.read_to_end_at is not None:",
        "    if mark is None or mark is not None:",
        "tests/unit/test_unread_rest.py::test_news_are_told_and_the_rest_is_not",
    ),
    Mutant(
        "twins across edition marks",
        "discovery/editions.py",
        "    if not one_keys.key or one_keys != other_keys:",
        "    if not one_keys.key or one_keys.key != other_keys.key:",
        f"{NEW}::test_a_deluxe_edition_is_an_edition_not_a_twin",
    ),
    Mutant(
        "a swapped album is never looked for",
        "sources/spotify/listing.py",
        "        if window.offset and self.probes >= self.want.head_every:",
        "        if window.offset and self.probes < 0:",
        f"{WALK}::test_an_album_swapped_for_another_is_seen_at_its_turn",
    ),
    Mutant(
        "fresh from the future",
        "planning/due.py",
        "    return artist.latest_at is not None and artist.latest_at > now",
        "    return artist.latest_at is not None and artist.latest_at > now + timedelta(days=400)",
        "tests/unit/test_clock_jumps.py::test_a_turn_taken_in_the_future_is_not_hidden_by_one_taken_now",
    ),
    Mutant(
        "an upcoming release is told once and for all",
        "discovery/telling.py",
        "    if one.kind is Kind.UPCOMING and not is_future(one.release.date, now):",
        "    if one.kind is Kind.UPCOMING and one.told_upcoming is None:",
        f"{NEW}::test_an_upcoming_release_is_told_and_told_again_when_it_is_out",
    ),
    Mutant(
        "a count that grew by more than was found is shrugged off",
        "sources/spotify/lists.py",
        "    return now - before > seen.arrived(mark) - seen.removed",
        "    return now - before > 1_000_000",
        f"{WALK}::test_a_single_back_dated_below_the_window_is_found_by_the_total",
    ),
    Mutant(
        "news stop at the end of the page",
        "sources/spotify/listing.py",
        "            if seen.ended or not page.more or not self._wants_more(seen):",
        "            if seen is not None:",
        f"{WALK}::test_many_new_singles_are_read_to_the_last_without_a_total",
    ),
    Mutant(
        "albums and singles are trusted to stand in order",
        "sources/spotify/listing.py",
        "        if any(early and not later for early, later in pairwise(kinds)):",
        "        if len(kinds) < 0:",
        f"{WALK}::test_mixed_albums_and_singles_are_asked_one_by_one",
    ),
    Mutant(
        "an empty answer is believed at once",
        "sources/spotify/listing.py",
        '        if had and not was_empty and not believed(self.follow.artist, "empty"):',
        '        if had and not was_empty and believed(self.follow.artist, "empty"):',
        f"{NEW}::test_a_list_that_comes_back_empty_is_believed_the_third_time",
    ),
    Mutant(
        "an answer without a list is an empty list",
        "sources/spotify/parse.py",
        '    if page.items is None:\n        raise _missing("list of releases", "items")\n',
        "    page.items = page.items or []\n",
        "tests/faults/test_missing_fields.py::test_an_answer_without_items_is_a_failed_check_and_no_empty_list",
    ),
    Mutant(
        "a group asked for the first time floods the report",
        "discovery/classify.py",
        "    if case.first_asked and case.last_checked_at and",
        "    if case.first_asked and not case.last_checked_at and",
        f"{NEW}::test_a_group_asked_for_the_first_time_brings_no_old_news",
    ),
    Mutant(
        "no flood is ever held",
        "discovery/classify.py",
        "    return found > FLOOD_BASE + FLOOD_FACTOR * pace * years",
        "    return found < 0 * pace * years",
        f"{NEW}::test_a_flood_is_held_and_told_when_the_user_says_so",
    ),
    Mutant(
        "a corrected date makes another record",
        "discovery/memory.py",
        "            if free and same_list and",
        "            if free and not same_list and",
        f"{RELISTED}::test_what_was_told_is_not_told_again",
    ),
    Mutant(
        "a record of the same title is the one that still stands",
        "discovery/memory.py",
        "ref not in self._standing",
        "True",
        f"{RELISTED}::test_beside_the_first_one_it_is_another",
    ),
    Mutant(
        "what is held for one artist counts as told",
        "discovery/classify.py",
        "    untold = [replace(one, announced=None) if one.announced in held else one for one in decisions]",
        "    untold = [one for one in decisions if held]",
        f"{HELD}::test_what_is_held_through_one_artist_is_told_through_another_and_its_twin_is_not",
    ),
    Mutant(
        "a check that the quota cut short counts as done",
        "discovery/classify.py",
        "        paused=seen.paused,",
        "        paused=False,",
        f"{WALK}::test_a_quota_that_ends_in_mid_baseline_keeps_the_work",
    ),
]

HELPERS = {
    "tracking/run.py": """

def _nothing(store, artist):
    from freshwax.model import GroupView, Observation

    follow = store.follow(artist.ref)
    views = tuple(GroupView(group, (), answered=True) for group in follow.marks)
    return Observation(artist.ref, views, follow.listing)
""",
    "tracking/report.py": """

def _told_at_once(store, now, report):
    saved = store.save_report(report)
    store.tell(saved.id, now)
    return saved
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.mistake)
def test_a_mistake_is_noticed(mutant: Mutant, tmp_path: Path) -> None:
    package = tmp_path / "freshwax"
    shutil.copytree(ROOT / "src" / "freshwax", package, ignore=shutil.ignore_patterns("__pycache__"))
    file = package / mutant.file
    source = file.read_text()
    assert source.count(mutant.text) == 1, "the mutant does not fit the code any more"
    file.write_text(source.replace(mutant.text, mutant.instead) + HELPERS.get(mutant.file, ""))
    assert verdict(mutant.killed_by, None) == 0, "the test fails without the mistake"
    assert verdict(mutant.killed_by, tmp_path) == 1, "the mistake was not noticed"


def verdict(test: str, package: Path | None) -> int:
    """Return pytest's exit code for one test (1: it failed), over the package in that folder."""
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", HYPOTHESIS_PROFILE="ci")
    if package is not None:
        environment["PYTHONPATH"] = str(package)
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly", test]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False).returncode
