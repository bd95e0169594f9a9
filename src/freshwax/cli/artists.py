"""``freshwax artists``: the watch list."""

from __future__ import annotations

import click

from freshwax import app
from freshwax.cli import output
from freshwax.cli.setup import Setup
from freshwax.errors import UsageError
from freshwax.model import ArtistState
from freshwax.reports.columns import ARTISTS
from freshwax.reports.words import count

PARTIAL = 3
AN_ARTIST = "ARTIST is an ID, a spotify:artist: URI, an open.spotify.com link, or a name."


class InOrder(click.Group):
    """Lists its commands as they are written here."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- as click has it
        """Return the names."""
        return list(self.commands)


@click.group("artists", cls=InOrder)
def command() -> None:
    """The watch list: whose releases are told."""


@command.command("add", epilog=AN_ARTIST)
@click.argument("artists", nargs=-1, required=True, metavar="ARTIST...")
@click.pass_obj
def add(setup: Setup, /, artists: tuple[str, ...]) -> int:
    """Add artists.

    A name costs one request. It is taken when exactly one artist bears it; otherwise the choice is shown.
    """
    from freshwax.cli.artist_files import from_words
    from freshwax.cli.importing import import_artists

    _refuse_empty(artists)
    return 0 if import_artists(setup, from_words(artists)).complete else PARTIAL


@command.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.pass_obj
def import_(setup: Setup, /, files: tuple[str, ...]) -> int:
    """Add the artists that files list; - is standard input.

    A file is text with an artist a line (# begins a comment), or CSV with a heading that names a column id, uri, url,
    artist or name; Exportify's files will do, and without a heading a row is read by its ID. IDs, URIs and links cost
    nothing; a name costs one request. What was found is kept at once: where the quota ended an import, the same
    command goes on.
    """
    from freshwax.cli.artist_files import read_files
    from freshwax.cli.importing import import_artists

    return 0 if import_artists(setup, read_files(files)).complete else PARTIAL


@command.command("list", short_help="Show the watch list.")
@click.option(
    "--state",
    type=click.Choice([state.value for state in ArtistState]),
    help="Only artists in that state. Default: all but removed ones.",
)
@output.list_format
@click.pass_obj
def list_(setup: Setup, /, state: str | None, format_: str | None) -> None:
    """Show the watch list: who, in which state, checked when, failing how."""
    with app.open_store(setup.config, read_only=True) as store:
        artists = store.artists({ArtistState(state)} if state else None)
    output.print_list(artists, ARTISTS, format_, app.now())
    if not artists and state is None:
        setup.say("The watch list is empty: `freshwax artists import FILE` puts artists on it.")


@command.command("remove", epilog=AN_ARTIST)
@click.argument("artists", nargs=-1, required=True, metavar="ARTIST...")
@click.pass_obj
def remove(setup: Setup, /, artists: tuple[str, ...]) -> None:
    """Take artists off the list. What was told of them is kept; followed again, they start afresh."""
    _move(setup, artists, ArtistState.REMOVED, "Removed")


@command.command("disable", epilog=AN_ARTIST)
@click.argument("artists", nargs=-1, required=True, metavar="ARTIST...")
@click.pass_obj
def disable(setup: Setup, /, artists: tuple[str, ...]) -> None:
    """Leave artists unchecked for a while."""
    _move(setup, artists, ArtistState.DISABLED, "Disabled")


@command.command("enable", epilog=AN_ARTIST)
@click.argument("artists", nargs=-1, required=True, metavar="ARTIST...")
@click.pass_obj
def enable(setup: Setup, /, artists: tuple[str, ...]) -> None:
    """Check disabled artists again. What came out meanwhile is told."""
    _move(setup, artists, ArtistState.ACTIVE, "Enabled")


def _refuse_empty(texts: tuple[str, ...]) -> None:
    if not all(text.strip() for text in texts):
        raise UsageError("An artist cannot be empty text.")


def _move(setup: Setup, texts: tuple[str, ...], state: ArtistState, done: str) -> None:
    from freshwax.cli import pick

    _refuse_empty(texts)
    with app.open_store(setup.config) as store:
        found = pick.artists(store, texts)
        for artist in found:
            store.set_state(artist.ref, state)
    setup.say(f"{done} {count(len(found), 'artist')}.")
