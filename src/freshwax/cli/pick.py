"""Finding a watched artist, or a release, by what a person writes for it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from freshwax import app
from freshwax.cli.artist_files import fold
from freshwax.errors import UsageError
from freshwax.model import Artist, ArtistState, Ref
from freshwax.reports.columns import shown_title
from freshwax.reports.escape import brief
from freshwax.sources.spotify.identify import parse_artist_ref
from freshwax.store.base import Seen, Store

SOURCE = "spotify"
RELEASE = re.compile(
    r"(?:spotify:album:|.*open\.spotify\.com/(?:[\w-]+/)*album/)?([0-9A-Za-z]{22})(?:[/?#].*)?", re.IGNORECASE
)
ADDRESS = re.compile(r"spotify:[a-z]+:|https?://|(?:open|play)\.spotify\.com/", re.IGNORECASE)
CHOICES = 10


def artist(store: Store, text: str) -> Artist:
    """Return the watched artist that an ID, URI, link or name means. UsageError if none or several do."""
    if not text.strip():
        raise UsageError("An artist cannot be empty text.")
    artist_id = parse_artist_ref(text)
    found = store.artist(Ref(SOURCE, artist_id)) if artist_id is not None else None
    if found is not None and found.state is not ArtistState.REMOVED:
        return found
    listed = store.artists()
    if not listed:
        raise UsageError(app.NOBODY)
    if artist_id is not None:
        raise UsageError(f"{brief(text)!r} is not on the watch list.")
    named = [one for one in listed if fold(one.name or "") == fold(text) or one.ref.id == text]
    if len(named) == 1:
        return named[0]
    if named:
        raise UsageError(f"Several are called {brief(text)!r}; say which: {', '.join(one.ref.id for one in named)}.")
    raise UsageError(f"{brief(text)!r} is not on the watch list.{_near(text, listed)}")


def artists(store: Store, texts: Sequence[str]) -> list[Artist]:
    """Return the artists that the texts mean, each once; all of them are found before anything is done."""
    found = [artist(store, text) for text in texts]
    return list({one.ref: one for one in found}.values())


def _near(text: str, listed: list[Artist]) -> str:
    import difflib

    names = {fold(one.name): one.name for one in listed if one.name}
    near = difflib.get_close_matches(fold(text), names, 1, 0.7)
    return f" Did you mean {brief(names[near[0]])!r}?" if near else ""


def release_id(text: str) -> str | None:
    """Return the ID that a text names as ID, URI or link; None if it is a title. UsageError for other addresses."""
    match = RELEASE.fullmatch(text.strip())
    if match is None and ADDRESS.match(text.strip()):
        raise UsageError(f"{brief(text)!r} is no release: give an album's ID, spotify:album: URI or link, or a title.")
    return match[1] if match else None


def by_title(store: Store, title: str, artist: Artist | None = None) -> Ref | None:
    """Return the release of that title, None where there is none; UsageError with the choice where there are several.

    With an artist, theirs come first: others only where they have none of that title.
    """
    for whose in dict.fromkeys((artist.ref if artist else None, None)):
        found, what = _titled(store.releases(artist=whose), title)
        if len(found) == 1:
            return found[0].release.ref
        if found:
            choice = [_choice(seen) for seen in found[:CHOICES]]
            more = [f"  and {len(found) - CHOICES} more"] if len(found) > CHOICES else []
            raise UsageError(f"{what} {brief(title)!r}; ask by ID:", details=(*choice, *more))
    return None


def _titled(everything: Sequence[Seen], title: str) -> tuple[list[Seen], str]:
    """Return the releases that are called so, else those whose titles hold it; and what they have to do with it."""
    wanted = fold(title)
    same = [seen for seen in everything if fold(seen.release.title) == wanted]
    if same:
        return same, f"{len(same)} releases are called"
    holding = [seen for seen in everything if wanted and wanted in fold(seen.release.title)]
    return holding, f"The titles of {len(holding)} releases hold"


def _choice(seen: Seen) -> str:
    release = seen.release
    names = ", ".join(credit.name for credit in release.artists)
    day = release.date.value if release.date else "undated"
    facts = f"{release.ref.id}  {day}  {release.type}"
    return f"  {brief(facts)}  {brief(names)}: {brief(shown_title(release))}"
