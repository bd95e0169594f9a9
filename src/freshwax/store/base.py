"""The store: what freshwax remembers, as a protocol grouped by topic.

The docstrings are the contract; ``tests/contract`` runs one suite on every implementation. Everywhere: instants are
aware datetimes in UTC and come back as they were given (to the microsecond); lists have a stated, total order; each
writing method is one transaction, durable when it returns; ``StoreError`` and its children are the only errors that a
user's environment can cause. KeyError: an artist that was never watched, a release that was never stored, a run or a
report that does not exist. One thread uses a store, with one write transaction open at a time (else RuntimeError).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from freshwax.history import History
from freshwax.model import (
    Announced,
    Announcement,
    Artist,
    ArtistState,
    CheckResult,
    Follow,
    Group,
    Kind,
    Known,
    Mode,
    Ref,
    Release,
    Report,
    Run,
)
from freshwax.quota import Cooldown, Limit


class Watched(Struct, frozen=True):
    """What adding artists did: refs that are new (or were removed, and start afresh), enabled again, known already."""

    added: tuple[Ref, ...]
    enabled: tuple[Ref, ...]
    known: tuple[Ref, ...]


class Check(Struct, frozen=True):
    """The outcome of one artist's check in a run.

    ``outcome``: ``ok``, ``partial`` (the quota ended it), or an error code. ``found`` counts the decisions that put
    their release into the outbox. A deep read leaves an outcome of its own.
    """

    artist: Ref
    run_id: int
    at: datetime
    outcome: str
    found: int = 0
    message: str | None = None


class Telling(Struct, frozen=True):
    """A channel's memory of one telling; ``hidden_by`` names the filter where it was counted as told but not shown."""

    channel: str
    kind: Kind
    told_at: datetime
    report_id: int
    hidden_by: str | None


class Change(Struct, frozen=True):
    """An entry of a release's history: a field that the source gives otherwise since ``at``."""

    at: datetime
    field: str
    before: str | None
    after: str | None


class Story(Struct, frozen=True):
    """All that is known of a release, for ``explain``: decisions by artist, what waits, what was told, what changed."""

    release: Release
    first_seen_at: datetime
    decided: tuple[tuple[Artist, Known], ...]
    waiting: tuple[tuple[str, Announcement], ...]
    told: tuple[Telling, ...]
    history: tuple[Change, ...]


class Pruned(Struct, frozen=True):
    """What one step of pruning did: rows dropped (outcomes, requests), releases whose details were forgotten."""

    dropped: int
    forgotten: int


class Seen(Struct, frozen=True):
    """A row of ``releases``: a release, when it was first seen, and the kind it was first announced under, if so."""

    release: Release
    first_seen_at: datetime
    kind: Kind | None


class Transaction(Protocol):
    """One write transaction. Reads see everything committed before it and lock out other writers until it ends."""

    def follow(self, artist: Ref) -> Follow:
        """As ``Store.follow``."""
        ...

    def announced(self, releases: Collection[Ref], keys: Collection[str]) -> Sequence[Announced]:
        """Return every announced release whose ref is among ``releases`` or whose key is among ``keys``.

        Announced means: some decision about it names itself as the one under which to tell; told yet or not. For a ref
        that was decided to be a twin of such a one, that one stands there, with the ref as ``twin``. Ordered by
        first sight, then ref, key, marks; where decisions gave it different keys, it stands there once for each that
        matches. The empty key matches nothing.
        """
        ...

    def save(self, result: CheckResult, channels: Collection[str]) -> None:
        """Write a check: release facts (what changed goes into the history), decisions (replacing earlier ones for the
        same artist and release), watermarks, listing, outcome, and, for each decision that has a ``kind`` and announces
        its own release, an outbox row on every channel (none where it waits already or was told).

        The artist's name is set where the result has one; the listing always; a regular result that is not ``paused``
        sets ``learnt``, ``attempted_at`` and failures (to 0), and makes a gone artist active. Marks of groups that the
        result does not name stay. History notes title, type, release_date and total_tracks. ``of`` and ``announced``
        must name releases that are stored or in the result.
        """
        ...


class Store(Protocol):
    """Everything that is remembered."""

    def close(self) -> None:
        """Release the database. Idempotent."""
        ...

    def hurry(self) -> None:
        """Wait for the locks of other programs no longer than a moment from now on; a signal's handler may call it."""
        ...

    # -- the watch list ------------------------------------------------------------------------------------------

    def watch(self, entries: Iterable[tuple[Ref, str | None]], now: datetime) -> Watched:
        """Add artists (ref, name if known) to the watch list. Of duplicates in ``entries`` the first name counts.

        A removed artist becomes active without watermark, added now; a disabled one is enabled; a gone one is active
        again, its failures forgotten (``enabled`` names it too). A name is taken where none is known.
        """
        ...

    def artists(
        self, states: Collection[ArtistState] | None = None, *, groups: Collection[Group] | None = None
    ) -> list[Artist]:
        """Return the artists in those states (None: all but removed), by name (casefolded; unnamed last), then ref.

        ``checked_at`` is the smallest ``Mark.checked_at`` of the artist, None without; ``turn_at`` the smallest
        ``Mark.turn_at`` (``checked_at`` where a mark has none), None where no mark has one; ``latest_at`` the greatest
        of both. ``learnt``: some regular check was saved that no pause had cut short. ``history_incomplete``: some mark
        was never read to its end, or asks for a deep read. Marks of other groups than ``groups`` count for none of
        these, where those are given.
        """
        ...

    def artist(self, ref: Ref) -> Artist | None:
        """Return one artist, removed ones too; None if it was never watched."""
        ...

    def set_state(self, ref: Ref, state: ArtistState) -> None:
        """Move an artist to a state. To or from ``REMOVED``: marks and listing are deleted; decisions and memory stay.

        A check that was under way when its artist was removed may leave new ones; hence from it, too.
        """
        ...

    def history(self, artists: Sequence[Artist]) -> History:
        """Return when these artists (each named once) released, as far as is known, in columns; in a few queries,
        however many they are.

        Ordered by artist (as given), then day, then ref. A release counts for each artist for whom it was decided, with
        the facts of now. Left out: decisions that are ``of`` another release, ``back_catalogue`` and held ones, and
        what has no date, or one that names no real day.

        ``ALBUM``: decided on the list of albums. ``WATCHED``: seen to appear, that is decided against a watermark
        (``previous_check_at``), and not ``horizon``, which a deeper read finds among the old. ``EXACT``: a date with
        its day; but not a 1 January unless ``WATCHED``, since sources write that for a year of which they know no more.
        ``unread``: the marks that have no ``read_to_end_at``. Artists without any mark have both lists unread.
        """
        ...

    # -- checks --------------------------------------------------------------------------------------------------

    def follow(self, artist: Ref) -> Follow:
        """Return all that is remembered of an artist; ``known`` by release ID. KeyError if it was never watched."""
        ...

    def write(self) -> AbstractContextManager[Transaction]:
        """Open a write transaction: committed when the block ends, rolled back, wholly, when it raises."""
        ...

    def save_failure(self, check: Check, *, state: ArtistState | None = None) -> None:
        """Record a failed check: failures + 1 (from 1 again where the code differs from the last one), ``failure``,
        ``attempted_at``, the outcome; the artist's new state where given. No watermark moves.
        """
        ...

    def failing_since(self, artist: Ref) -> datetime | None:
        """Return when the first of its failures in a row came, as far as outcomes are kept; None without any."""
        ...

    def take_turns(self, artists: Collection[Ref], at: datetime) -> None:
        """Record that these artists had their turn: ``turn_at`` of every mark that was checked after its turn
        (``turn_at`` before ``checked_at``). No watermark moves.
        """
        ...

    def checks(self, run_id: int, *, failed: bool = False) -> list[Check]:
        """Return the outcomes of a run's checks (only those with a message where they are to be the ``failed`` ones),
        in the order in which they were saved.
        """
        ...

    def deep_queue(
        self, audit_before: datetime, groups: Collection[Group], artists: Collection[Ref] | None, limit: int
    ) -> list[tuple[Ref, Group]]:
        """Return the lists to read in depth: of active, learnt artists without failures, these groups.

        First those that ask for it (``deep_wanted``), then those that were never read to their end, then those whose
        ``read_to_end_at`` lies before ``audit_before``; within each by ``read_to_end_at`` (None first),
        ``first_checked_at``, ref, group.
        """
        ...

    def held(self) -> list[tuple[Artist, list[Known]]]:
        """Return the artists (removed ones not) with held decisions, ordered as ``artists``; those decisions by ref."""
        ...

    # -- runs ----------------------------------------------------------------------------------------------------

    def start_run(self, mode: Mode, market: str, now: datetime) -> Run:
        """Begin a run. Runs found ``running`` were killed: they become ``failed`` with that as their error, exit 1."""
        ...

    def finish_run(self, run: Run) -> None:
        """Store how a run ended (all fields of ``run`` replace the stored ones)."""
        ...

    def runs(self, limit: int = 20) -> list[Run]:
        """Return the newest runs first."""
        ...

    def run(self, run_id: int) -> Run | None:
        """Return one run."""
        ...

    # -- telling -------------------------------------------------------------------------------------------------

    def untold(self, channel: str, artists: Collection[Ref] | None = None) -> list[Announcement]:
        """Return what waits in a channel's outbox, by first sight, then ref.

        With ``artists``: only what is announced by a decision made for one of them (that of its twin included).
        Without: for any artist that is not removed. An ``upcoming`` one that was told as such waits on, marked.
        """
        ...

    def save_report(self, report: Report) -> Report:
        """Fix a report before it is printed, in the place of any report of that channel that was never told.

        It keeps the run as it is now; the facts of its releases are those of the time when it is read. Returns it with
        its number, which no other report ever gets.
        """
        ...

    def tell(self, report_id: int, at: datetime) -> None:
        """Record a report as told: its lines leave the outbox and enter the channel's memory.

        A line told as ``upcoming`` stays in the outbox, marked as told so. Idempotent.
        """
        ...

    def last_report(self, channel: str) -> Report | None:
        """Return the channel's newest told report that had lines, else its newest told one; None before the first."""
        ...

    def reports(self, run_id: int) -> list[Report]:
        """Return the told reports that belong to a run, oldest first."""
        ...

    # -- browsing ------------------------------------------------------------------------------------------------

    def releases(
        self,
        *,
        artist: Ref | None = None,
        since: datetime | None = None,
        dated_since: str | None = None,
        announced_only: bool = False,
        run_id: int | None = None,
        limit: int | None = None,
    ) -> list[Seen]:
        """Return releases decided for an artist that is not removed: newest release date first, undated last, then ref.

        ``since``: first seen at or after; ``dated_since``: release date value at or after that ISO day; ``run_id``:
        decided in that run (for that artist, where both are given). Dates are compared as text. What is ``forgotten``
        is left out.
        """
        ...

    def story(self, release: Ref) -> Story | None:
        """Return all that is known of a release; None if it was never stored.

        Decisions by instant, then artist; waiting by channel; told by instant, channel, report; history as written.
        """
        ...

    # -- pruning -------------------------------------------------------------------------------------------------

    def prune(self, *, checks_before: datetime, releases_before: datetime | None, most: int) -> Pruned:
        """Drop what is old, at most so many rows in one transaction; again, until nothing is left to do.

        Outcomes of checks of runs that began before ``checks_before``, then requests recorded before it. Then, where
        ``releases_before`` is given, releases become ``forgotten``, those seen first before others, and their history
        goes: those first seen before that instant, and by then decided for the last time, told for the last time, and
        out (a year or a month by its last day); but none that waits in an outbox or is held. The keys and marks, who
        decided and what was told stay. A decision that is saved brings the details of its release back.
        """
        ...

    def has_forgotten(self) -> bool:
        """Return whether there is a release that is ``forgotten``."""
        ...

    # -- requests and settings -----------------------------------------------------------------------------------

    def claim_request(
        self, source: str, bucket: str, at: datetime, run_id: int | None, limits: Sequence[Limit]
    ) -> int | datetime:
        """Put a request, before it is sent, into the ledger if all limits have room, and return its number; else when
        they have.

        Looking and writing is one transaction: processes that share a database share the limits.
        """
        ...

    def notice_ahead(self, source: str, now: datetime) -> int:
        """Where requests and cooldowns lie in the future (by more than ``SLACK``), remember when that was noticed:
        now, if it was not yet, or not of all those requests. Return how many requests lie there.

        They count from that instant on, until they lie in the future no more: the clock was ahead, or is behind now.
        """
        ...

    def pull_back(self, source: str, now: datetime) -> int:
        """Move back what lies in the future, now that the clock is known to be right: requests to when that was noticed
        (else now), cooldowns with their lengths. Return how many requests lay there.
        """
        ...

    def settle_request(self, number: int, status: int, bytes_received: int) -> None:
        """Add how a request ended (status 0: no answer). May be buffered until the next write or ``close``."""
        ...

    def nth_last_request(self, source: str, n: int, now: datetime | None = None) -> datetime | None:
        """Return the instant of the n-th last request (1 is the last) to a source; None if there were fewer. Seen from
        ``now``, those of the future count as sent when that was noticed.
        """
        ...

    def requests_since(self, source: str, since: datetime, now: datetime | None = None) -> int:
        """Count the requests recorded at or after an instant; ``now`` as in ``nth_last_request``."""
        ...

    def cooldowns(self, source: str) -> list[Cooldown]:
        """Return a source's cooldowns, past or not, by bucket."""
        ...

    def set_cooldown(self, cooldown: Cooldown) -> Cooldown:
        """Set the cooldown of a source's bucket, unless one known lasts longer (``quota.lasting``); return the kept."""
        ...

    def setting(self, name: str) -> str | None:
        """Return a remembered value (a page size that the source taught, for one)."""
        ...

    def set_setting(self, name: str, value: str | None) -> None:
        """Remember a value; None forgets it."""
        ...
