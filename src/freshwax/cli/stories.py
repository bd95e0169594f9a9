"""A release's story in plain words: why it was, or was not, told. Pure: what the store knows in, sentences out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from freshwax.model import Announcement, Artist, ArtistState, Kind, Known, Ref, Release, Silence
from freshwax.quota import Cooldown
from freshwax.reports.columns import names, shown_title
from freshwax.reports.escape import brief, visible
from freshwax.reports.words import ago, calendar_day, clock_time, failure, release_date
from freshwax.store.base import Change, Story, Telling

KINDS = {
    Kind.NEW: "new",
    Kind.UPCOMING: "upcoming: its date lies in the future; it is told once more when it is out",
    Kind.LATE: "late: it appeared well after the date that it bears",
    Kind.EDITION: "another edition of {of}, told apart",
    Kind.BACK_CATALOGUE: "back catalogue: it appeared now, but its date is old; told apart",
}
SILENCES = {
    Silence.BASELINE: "not to be told: it was there at the first check and is older than the look-back",
    Silence.HORIZON: "not to be told: it stands deeper in the list than had ever been read before, so it is not new",
    Silence.FIRST_ASKED: "not to be told: it is older than the last check, and was only found because a type or market "
    "was asked for the first time",
    Silence.TOLD: "not to be told again: it was announced before, through another artist",
    Silence.TWIN: "not to be told: it is the same release as {of}",
    Silence.RELISTED: "not to be told: it took the place of {of}, with another ID and another date",
    Silence.HELD: "held back: more releases appeared at once than this artist's history makes likely; "
    "`freshwax release-held {artist}` decides them",
}
FORGOTTEN = (
    "Its title, artists and links are no longer kept: the setting retention.releases says for how long. "
    "It is remembered well enough that neither it nor a twin of it ever looks new."
)
NEVER = "It was never told, and does not wait to be."
UNASKED = {
    ArtistState.REMOVED: "it was removed from the watch list.",
    ArtistState.DISABLED: "it is disabled, so nobody looks; `freshwax artists enable` changes that.",
    ArtistState.GONE: "the source says that there is no such artist any more; it is looked for now and then.",
}


def tell(
    story: Story,
    watched: Iterable[Artist],
    cooldown: Cooldown | None,
    now: datetime,
    others: Mapping[Ref, Release] | None = None,
    asked: Artist | None = None,
) -> list[str]:
    """Return the story. ``watched`` are the artists on the watch list that are credited on the release.

    ``others`` are the releases that ``related`` names; ``asked`` is whose checks are told of in any case.
    """
    out = [_heading(story.release, story.first_seen_at, now)]
    if story.release.forgotten:
        out.append(FORGOTTEN)
    out += [_decision(artist, known, now, others or {}) for artist, known in story.decided]
    out += [_waiting(channel, waiting) for channel, waiting in story.waiting]
    out += dict.fromkeys(_told(telling, now) for telling in story.told)
    if story.decided and not story.waiting and not story.told:
        held = any(known.silence is Silence.HELD for _, known in story.decided)
        out.append("It was never told, and waits for your decision." if held else NEVER)
    decided = {artist.ref for artist, _ in story.decided}
    for artist in watched:
        if artist.ref not in decided:
            out.append(f"No check of {_name(artist)} has listed it: {checks(artist, cooldown, now)}")
    if asked is not None and asked.ref in decided:
        out.append(f"{_name(asked)}: {checks(asked, cooldown, now)}")
    return out + [_change(change, now) for change in story.history]


def related(story: Story) -> set[Ref]:
    """Return the other releases of a story: what this one is a twin or an edition of."""
    found = {known.of or known.announced for _, known in story.decided}
    return {ref for ref in found if ref is not None and ref != story.release.ref}


def never_listed(
    what: str,
    artist: Artist | None,
    cooldown: Cooldown | None,
    now: datetime,
    *,
    by_title: bool = False,
    forgotten: bool = False,
) -> list[str]:
    """Return what can be said of a release that is not known. ``forgotten``: there are some whose title is not kept."""
    said = repr(brief(what)) if by_title else brief(what)
    out = [f"No release called {said} is known." if forgotten else f"No check has listed {said}."]
    if forgotten:
        out.append("It may be one whose title is no longer kept (the setting retention.releases): ask by its ID.")
    elif by_title:
        out.append("If it exists under another title, ask by its ID or link.")
    if artist is not None:
        return [*out, f"{_name(artist)}: {checks(artist, cooldown, now)}"]
    return [*out, "With --artist ARTIST this says how that artist's checks went."]


def checks(artist: Artist, cooldown: Cooldown | None, now: datetime) -> str:
    """Say how the checks of an artist stand: why something of theirs may not have been seen yet."""
    if artist.state in UNASKED:
        return UNASKED[artist.state]
    last = f"the last good check was {ago(artist.checked_at, now)}" if artist.checked_at else "it was never checked yet"
    if artist.failures:
        return f"{last}; {artist.failures} failed since, the last: {visible(failure(artist.failure))}."
    if cooldown is not None:
        return (
            f"{last}; {cooldown.source.title()} is paused until {clock_time(cooldown.until, now)} ({cooldown.reason})."
        )
    if artist.history_incomplete:
        return f"{last}, and its list was not read to the end yet."
    if artist.checked_at is None:
        return f"{last}; the next run asks."
    return f"{last}; what appeared since is found when it is due again (or with `freshwax track --force`)."


def _name(artist: Artist) -> str:
    return brief(artist.name or artist.ref.id)


def _day(value: datetime, now: datetime) -> str:
    return calendar_day(value.astimezone(UTC).date(), now.astimezone(UTC).date())


def _heading(release: Release, seen: datetime, now: datetime) -> str:
    dated = f"dated {release_date(release.date, now.date())}" if release.date else "undated"
    what = f"{brief(names(release))}: {brief(shown_title(release))} ({release.type}, {dated}, {release.ref.id})"
    if release.forgotten:
        what = f"{release.ref.id} ({release.type}, {dated})"
    return f"{visible(what)}, first seen on {_day(seen, now)}."


def _decision(artist: Artist, known: Known, now: datetime, others: Mapping[Ref, Release]) -> str:
    of = _of(known, others)
    if known.silence is not None:
        why = SILENCES[known.silence].format(of=of, artist=artist.ref.id)
    elif known.kind is not None:
        why = KINDS[known.kind].format(of=of)
    else:
        why = "known"
    before = ""
    if known.previous_check_at is not None:
        before = f" (the check before was on {_day(known.previous_check_at, now)})"
    return f"Through {_name(artist)}, decided on {_day(known.decided_at, now)}{before}: {why}."


def _of(known: Known, others: Mapping[Ref, Release]) -> str:
    other: Ref | None = known.of or known.announced
    if other is None or other == known.release.ref:
        return "one that is known"
    title = f"{brief(others[other].title)!r} " if other in others and others[other].title else ""
    return visible(f"{title}({other.id})" if title else other.id)


def _waiting(channel: str, waiting: Announcement) -> str:
    how = f", on {visible(channel)}" if channel != "stdout" else ""
    if waiting.told_upcoming:
        return f"It was told as upcoming and waits to be told again when it is out{how}."
    return f"It waits to be told as {_label(waiting.kind)}{how}: `freshwax track --from-cache` prints it."


def _told(telling: Telling, now: datetime) -> str:
    where = "" if telling.channel == "stdout" else f" on {visible(telling.channel)}"
    day = _day(telling.told_at, now)
    if telling.hidden_by:
        return f"It counts as told{where} since {day}, but a filter hid it: {brief(telling.hidden_by)}."
    return f"Told{where} on {day} as {_label(telling.kind)}."


def _label(kind: Kind) -> str:
    return kind.value.replace("_", " ")


def _change(change: Change, now: datetime) -> str:
    before, after = brief(change.before or "nothing"), brief(change.after or "nothing")
    return (
        f"Since {_day(change.at, now)} its {visible(change.field).replace('_', ' ')} is {after!r}; it was {before!r}."
    )
