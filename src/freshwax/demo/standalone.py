"""The stand-in server as a process: prints its URL on stdout and serves until it is stopped."""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from freshwax.demo.api import Manners
from freshwax.demo.generate import generate
from freshwax.demo.server import DemoServer
from freshwax.demo.world import World, instant


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve a generated world, or a recorded history, as the command line says."""
    options = _parser().parse_args(arguments)
    world = _recorded(options.rows) if options.rows else _generated(options)
    if options.list:
        lines = [f"{artist.id}\n" for artist in world.artists.values()]
        options.list.write_text("".join(lines), encoding="utf-8")
    at = instant(options.at or options.end)
    manners = Manners(page_max=options.page_max, quota=options.quota)
    with DemoServer(world, at, manners, latency=options.latency_ms / 1_000, port=options.port) as server:
        sys.stdout.write(f"{server.accounts_url}\n")
        sys.stdout.flush()
        try:
            server.join()
        except KeyboardInterrupt:
            sys.stderr.write("stopped\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m freshwax.demo.server", description=__doc__)
    parser.add_argument("--artists", type=int, default=40)
    parser.add_argument("--seed", default="demo")
    parser.add_argument("--start", default="2026-01-01", help="the world's life begins here; catalogues lie before it")
    parser.add_argument("--end", default="2027-01-01")
    parser.add_argument("--at", help="the instant served at first (the end; POST /_control moves it)")
    parser.add_argument("--busy-share", type=float, help="share of artists with more than nine albums")
    parser.add_argument("--hostile", action="store_true", help="some titles attack terminals, pages and spreadsheets")
    parser.add_argument("--rows", type=Path, help="serve this CSV file of releases instead (may be gzipped)")
    parser.add_argument("--list", type=Path, help="write its artists there, for `freshwax artists import`")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--quota", type=int, help="requests in a rolling 24 hours of the world's time")
    parser.add_argument("--page-max", type=int, default=10)
    return parser


def _generated(options: argparse.Namespace) -> World:
    return generate(
        options.seed,
        artists=options.artists,
        start=options.start,
        end=options.end,
        busy_share=options.busy_share,
        hostile=options.hostile,
    )


def _recorded(path: Path) -> World:
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
    return World.from_rows(csv.DictReader(io.StringIO(text, newline="")))
