"""``freshwax release-held``: decide a flood."""

from __future__ import annotations

import click

from freshwax import app
from freshwax.cli import pick
from freshwax.cli.setup import Setup
from freshwax.cli.values import ArtistText
from freshwax.reports.escape import brief
from freshwax.reports.words import count


@click.command("release-held")
@click.argument("artist", type=ArtistText(), metavar="ARTIST")
@click.pass_obj
def command(setup: Setup, /, artist: str) -> None:
    """Decide the releases of an artist that were held back, because they were more than its history makes likely.

    The usual rules decide; what is new by them is in the next report.
    """
    with app.open_store(setup.config, read_only=True) as store:
        found = pick.artist(store, artist)
        held = next((len(releases) for one, releases in store.held() if one.ref == found.ref), 0)
    name = brief(found.name or found.ref.id)
    if not held:
        setup.say(f"{name}: nothing is held back.")
        return
    told = app.release_held(setup.config, found.ref)
    if not told:
        setup.say(f"{name}: none of {count(held, 'release')} is new by the usual rules; none will be told.")
        return
    setup.say(f"{name}: {count(told, 'release')} will be told; `freshwax track --from-cache` prints them now.")
