"""``freshwax profile``: how active artists are, and how often it is worth asking them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from freshwax import app
from freshwax.cli import output, pick
from freshwax.cli.setup import Setup
from freshwax.cli.values import ArtistText
from freshwax.config import Config
from freshwax.errors import UsageError
from freshwax.model import Artist, ArtistState
from freshwax.reports.plans import PROFILES, profile_notes
from freshwax.store.base import Store

if TYPE_CHECKING:
    from freshwax.planning.activity import Profile


@click.command("profile", epilog="ARTIST is an ID, a spotify:artist: URI, a link, or a name. Nothing is asked.")
@click.argument("artist", type=ArtistText(), required=False, metavar="[ARTIST]")
@output.list_format
@click.pass_obj
def command(setup: Setup, /, artist: str | None, format_: str | None) -> None:
    """Show how active artists are: releases known, the last one, releases a year, and how often to ask.

    The rate leans on what the other artists on the list let expect, the more so the less is known. "ask every" is
    what `freshwax track --smart-batch` can give each artist with its usual budget, on average.
    """
    now = app.now()
    with app.open_store(setup.config, read_only=True) as store:
        asked = pick.artist(store, artist) if artist is not None else None
        found = profiles(store, setup.config, now, asked)
    if asked is None:
        shown = [one for one in found if one.artist.state is ArtistState.ACTIVE]
    else:
        shown = [one for one in found if one.artist.ref == asked.ref]
    output.print_list(shown, PROFILES, format_, now)
    for line in profile_notes(shown):
        setup.say(line)


def profiles(store: Store, config: Config, now: datetime, also: Artist | None = None) -> list[Profile]:
    """Return the profiles of all whom a run may ask, by name, and of ``also``. UsageError where there is nobody."""
    from freshwax.planning.activity import profiles as profiles_of
    from freshwax.planning.due import checks_a_week

    artists: Sequence[Artist] = store.artists({ArtistState.ACTIVE, ArtistState.GONE}, groups=config.types)
    if also is not None and also.ref not in {one.ref for one in artists}:
        artists = [*artists, also]
    if not artists:
        raise UsageError(app.NOBODY)
    week = checks_a_week(len(artists), timedelta(days=config.max_interval))
    return profiles_of(
        store.history(artists), now, mean_interval=7 * len(artists) / week, max_interval=float(config.max_interval)
    )
