"""``freshwax explain``: why a release was, or was not, told."""

from __future__ import annotations

import click

from freshwax import app
from freshwax.cli import output, pick, stories
from freshwax.cli.artist_files import as_text
from freshwax.cli.setup import Setup
from freshwax.cli.values import ArtistText
from freshwax.errors import UsageError
from freshwax.model import Ref


@click.command("explain")
@click.argument("release", metavar="RELEASE")
@click.option("--artist", type=ArtistText(), metavar="ARTIST", help="Say also how the checks of that artist stand.")
@click.pass_obj
def command(setup: Setup, /, release: str, artist: str | None) -> None:
    """Say why a release was, or was not, told.

    RELEASE is an ID, a spotify:album: URI, an open.spotify.com link, or a title.
    """
    if not release.strip():
        raise UsageError("A release cannot be empty text.")
    now = app.now()
    with app.open_store(setup.config, read_only=True) as store:
        asked = pick.artist(store, artist) if artist is not None else None
        cooldown = app.pause(store, now)
        release_id = pick.release_id(as_text(release))
        ref = Ref(app.SOURCE, release_id) if release_id else pick.by_title(store, release, asked)
        story = store.story(ref) if ref else None
        if story is None:
            lines = stories.never_listed(
                release, asked, cooldown, now, by_title=ref is None, forgotten=ref is None and store.has_forgotten()
            )
        else:
            refs = [Ref(app.SOURCE, credit.id) for credit in story.release.artists] + ([asked.ref] if asked else [])
            watched = [found for found in map(store.artist, dict.fromkeys(refs)) if found is not None]
            told_of = [other for other in map(store.story, stories.related(story)) if other is not None]
            others = {other.release.ref: other.release for other in told_of}
            lines = stories.tell(story, watched, cooldown, now, others, asked)
    output.write_text(setup.typed("\n".join(lines)) + "\n")
