"""``freshwax releases``: browse what was seen."""

from __future__ import annotations

from datetime import date

import click

from freshwax import app
from freshwax.cli import output
from freshwax.cli.setup import Setup
from freshwax.cli.values import ArtistText, Day, Number, begin
from freshwax.model import Kind, Ref
from freshwax.reports.columns import RELEASES
from freshwax.store.base import Store

LIMIT = 100


@click.command("releases")
@click.option("--since", type=Day(), help="Released on or after that day.")
@click.option("--seen-since", type=Day(), help="First seen on or after that day.")
@click.option(
    "--artist",
    type=ArtistText(),
    metavar="ARTIST",
    help="Only that artist's: an ID, URI, link, or name on the watch list.",
)
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), help="Only what was told under that label.")
@click.option("--limit", type=Number(0), default=LIMIT, show_default=True, help="At most so many; 0: all.")
@output.list_format
@click.pass_obj
def command(
    setup: Setup,
    /,
    *,
    since: date | None,
    seen_since: date | None,
    artist: str | None,
    kind: str | None,
    limit: int,
    format_: str | None,
) -> None:
    """Browse the releases that were seen, told or not, the newest first."""
    with app.open_store(setup.config, read_only=True) as store:
        found = store.releases(
            artist=_ref(store, artist) if artist is not None else None,
            since=begin(seen_since),
            dated_since=since.isoformat() if since else None,
            announced_only=kind is not None,
            limit=limit + 1 if limit and kind is None else None,
        )
    if kind is not None:
        found = [seen for seen in found if seen.kind == kind]
    shown = found[:limit] if limit else found
    output.print_list(shown, RELEASES, format_, app.now())
    if len(found) > len(shown):
        setup.say(f"These are the newest {limit}; --limit 0 shows all.")


def _ref(store: Store, text: str) -> Ref:
    from freshwax.cli import pick

    return pick.artist(store, text).ref
