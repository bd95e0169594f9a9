"""What a report says about itself: how much was seen, what it cost, and what the user should know or do."""

from __future__ import annotations

from datetime import datetime

from freshwax.model import Coverage, Mode, Report, Run, RunStatus
from freshwax.reports.escape import brief, visible
from freshwax.reports.words import ago, count


def summary(report: Report, now: datetime) -> list[str]:
    """Return the closing sentences of a report, ready for a terminal."""
    out = []
    if report.mode is Mode.REPEAT:
        out.append(f"Nothing is untold: this is the last report again ({ago(_end(report), now)}).")
    if report.run.status is RunStatus.RUNNING:
        out.append(under_way_note(report.run))
    elif report.run.finished_at is None:
        out.append(lost_note(report.run))
    else:
        out.append(coverage_line(report, now))
    incomplete = report.run.coverage.history_incomplete
    if incomplete:
        out.append(f"History incomplete for {count(incomplete, 'artist')}: not every list was read to its end yet.")
    hidden = sum(line.hidden_by is not None for line in report.lines)
    if hidden:
        out.append(f"Your filters hid {count(hidden, 'release')}: that counts as told.")
    out += [visible(note) for note in report.notes]
    return out + [held_note(artist.name or artist.ref.id, artist.ref.id, number) for artist, number in report.held]


def coverage_line(report: Report, now: datetime) -> str:
    """Return ``497 of 500 artists checked, 3 failed; oldest check 9 days ago; market US; 512 requests``."""
    coverage = report.run.coverage
    parts = [_counts(coverage)]
    if coverage.oldest_check is not None:
        parts.append(f"oldest check {ago(coverage.oldest_check, now)}")
    parts.append(f"market {visible(report.run.market)}")
    parts.append(count(report.run.cost.requests, "request"))
    return "; ".join(parts)


def under_way_note(run: Run) -> str:
    """Return a sentence for a run that has not ended."""
    return f"Run {run.id} is still under way: what else it finds is told when it has ended."


def lost_note(run: Run) -> str:
    """Return a sentence for a run that was killed, below a report of what it found."""
    return f"Run {run.id} was killed before it ended, or the machine went down: the next run asks who is still due."


def nothing(report: Report) -> str:
    """Say that there is nothing to list, without claiming more than was seen."""
    coverage, completed = report.run.coverage, report.run.status is RunStatus.COMPLETED
    if report.run.status is RunStatus.RUNNING:
        return "What is new is not known yet."
    if not completed and not coverage.checked + coverage.fresh:
        return "No artist could be checked: what is new is not known."
    filtered = " that your filters let through" if any(line.hidden_by for line in report.lines) else ""
    among = "" if completed else " among the artists that were checked"
    held = sum(number for _, number in report.held)
    waiting = f", but for {count(held, 'release')} held back" if held else ""
    return f"Nothing new{filtered}{among}{waiting}."


def failed_note(artists: list[tuple[str, str]], limit: int = 10) -> str:
    """Return a sentence that names the artists whose check failed, with why: ``(name, reason)``; each reason once."""
    reasons: dict[str, list[str]] = {}
    for name, reason in artists:
        reasons.setdefault(brief(reason.removeprefix(name + ": ")), []).append(brief(name))
    groups, left = [], limit
    for reason, names in reasons.items():
        if not left:
            break
        more = f" and {len(names) - left} more" if len(names) > left else ""
        groups.append(f"{', '.join(names[:left])}{more} ({reason})")
        left -= len(names[:left])
    rest = " `freshwax artists list` names all." if len(artists) > limit else ""
    return f"Failed: {'; '.join(groups)}. They stay due.{rest}"


def paused_note(learnt: int, artists: int) -> str:
    """Return a sentence for a run that ended before everyone was learnt: ``312 of 500 artists learnt so far``."""
    return f"{learnt:,} of {artists:,} artists learnt so far."


def held_note(name: str, ref: str, releases: int) -> str:
    """Return the question that a flood asks."""
    return (
        f"{brief(name)}: {count(releases, 'release')} at once is more than its history makes likely; held back. "
        f"`freshwax release-held {ref}` tells them."
    )


def gone_note(names: list[str], limit: int = 10) -> str:
    """Return a sentence about artists that the source no longer has."""
    rest = f" and {len(names) - limit} more (`freshwax artists list --state gone`)" if len(names) > limit else ""
    looked_for = "It is" if len(names) == 1 else "They are"
    return (
        f"Gone from the service: {', '.join(map(brief, names[:limit]))}{rest}. {looked_for} looked for now and then; "
        "`freshwax artists remove` ends that."
    )


def _counts(coverage: Coverage) -> str:
    text = f"{coverage.checked:,} of {count(coverage.artists, 'artist')} checked"
    for number, word in (
        (coverage.fresh, "fresh from an earlier check"),
        (coverage.not_due, "not due"),
        (coverage.failed, "failed"),
        (coverage.paused, "left"),
    ):
        if number:
            text += f", {number:,} {word}"
    return text


def _end(report: Report) -> datetime:
    return report.run.finished_at or report.run.started_at
