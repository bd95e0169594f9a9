"""Telling and browsing, in memory."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from msgspec.structs import replace
from tests.memory_store.part import Part

from freshwax.model import Announcement, ArtistState, Kind, Known, Line, Ref, Report
from freshwax.store.base import Seen, Story, Telling


class TellingPart(Part):
    """Outbox, reports, memory."""

    def untold(self, channel: str, artists: Collection[Ref] | None = None) -> list[Announcement]:
        """See ``Store.untold``."""
        state = self._state
        if artists is None:
            artists = {ref for ref, artist in state.artists.items() if artist.state is not ArtistState.REMOVED}
        waiting = state.outbox.get(channel, {})
        meant = {
            decided.known.announced for artist in set(artists) for decided in state.decisions.get(artist, {}).values()
        }
        found = [replace(waiting[ref], release=state.releases[ref]) for ref in waiting if ref in meant]
        return sorted(found, key=lambda told: (told.first_seen_at, told.release.ref))

    def save_report(self, report: Report) -> Report:
        """See ``Store.save_report``."""
        state = self._state
        with state.writing():
            for number, before in list(state.reports.items()):
                if before.channel == report.channel and number not in state.told_reports:
                    state.drop(state.reports, number)
            saved = replace(report, id=state.last_report_id + 1)
            for line in report.lines:
                if line.release.ref not in state.releases:
                    raise KeyError(line.release.ref)
            state.put(state.reports, saved.id, saved)
            state.last_report_id = saved.id
        return saved

    def tell(self, report_id: int, at: datetime) -> None:
        """See ``Store.tell``."""
        state = self._state
        with state.writing():
            report = state.reports[report_id]
            if report_id in state.told_reports:
                return
            state.put(state.told_reports, report_id, at)
            for line in report.lines:
                self._tell_line(report, line, at)

    def _tell_line(self, report: Report, line: Line, at: datetime) -> None:
        state, ref = self._state, line.release.ref
        told = state.told.get(ref, ())
        if all(telling.report_id != report.id for telling in told):
            telling = Telling(report.channel, line.kind, at, report.id, line.hidden_by)
            state.put(state.told, ref, (*told, telling))
        waiting = state.outbox.setdefault(report.channel, {})
        if line.kind is not Kind.UPCOMING:
            state.drop(waiting, ref)
        elif ref in waiting:
            state.put(waiting, ref, replace(waiting[ref], told_upcoming=True))

    def last_report(self, channel: str) -> Report | None:
        """See ``Store.last_report``."""
        told = [self._report(number) for number in sorted(self._state.told_reports, reverse=True)]
        mine = [report for report in told if report.channel == channel]
        return next((report for report in mine if report.lines), mine[0] if mine else None)

    def reports(self, run_id: int) -> list[Report]:
        """See ``Store.reports``."""
        told = (self._report(number) for number in sorted(self._state.told_reports))
        return [report for report in told if report.run.id == run_id]

    def _report(self, number: int) -> Report:
        state = self._state
        report = state.reports[number]
        lines = (
            replace(line, release=state.releases[line.release.ref], first_seen_at=state.first_seen[line.release.ref])
            for line in report.lines
        )
        return replace(report, lines=tuple(lines))


class Browsing(Part):
    """Releases and their stories."""

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
        """See ``Store.releases``."""
        state = self._state
        found = [
            release
            for ref, release in state.releases.items()
            if not release.forgotten
            and self._asked_for(ref, artist, run_id)
            and (since is None or state.first_seen[ref] >= since)
            and (dated_since is None or (release.date is not None and release.date.value >= dated_since))
            and not (announced_only and not state.announcing(ref))
        ]
        found.sort(key=lambda release: release.ref)
        found.sort(key=lambda release: release.date.value if release.date else "", reverse=True)
        return [Seen(one, state.first_seen[one.ref], state.kind(one.ref)) for one in found[:limit]]

    def _asked_for(self, release: Ref, artist: Ref | None, run_id: int | None) -> bool:
        state = self._state
        return any(
            state.artists[decider].state is not ArtistState.REMOVED
            and artist in (None, decider)
            and run_id in (None, state.decisions[decider][release].run_id)
            for decider in state.deciders.get(release, ())
        )

    def story(self, release: Ref) -> Story | None:
        """See ``Store.story``."""
        state = self._state
        if release not in state.releases:
            return None
        decided: list[tuple[Ref, Known]] = state.decided(release)
        waiting = [(channel, waiting[release]) for channel, waiting in state.outbox.items() if release in waiting]
        told = state.told.get(release, ())
        return Story(
            release=state.releases[release],
            first_seen_at=state.first_seen[release],
            decided=tuple((state.artist(artist), known) for artist, known in decided),
            waiting=tuple((channel, replace(one, release=state.releases[release])) for channel, one in sorted(waiting)),
            told=tuple(sorted(told, key=lambda one: (one.told_at, one.channel, one.report_id))),
            history=state.history.get(release, ()),
        )
