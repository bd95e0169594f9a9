"""How fast a run is in which nothing is new: as a process, against a server in another one, unpaced."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from _process import BARE, Freshwax, Measured, measure, server
from _table import fact, headline, say, verdict
from freshwax.demo.generate import generate

IN_FLIGHT = 8
SEED = "throughput"


def main() -> int:
    options = _options()
    headline()
    now = datetime.now(UTC).replace(microsecond=0)
    start, end = (now - timedelta(days=60)).date().isoformat(), (now + timedelta(days=2)).date().isoformat()
    artist_ids = list(generate(SEED, artists=options.artists, start=start, end=end).artists)
    about = ["--artists", str(options.artists), "--seed", SEED, "--start", start, "--end", end]
    with TemporaryDirectory(prefix="freshwax-bench-") as name, server(*about, "--at", now.isoformat()) as spotify:
        folder = Path(name)
        artists = folder / "artists.txt"
        artists.write_text("".join(f"spotify:artist:{one}\n" for one in artist_ids))
        user = Freshwax(folder, spotify.url)
        _, learnt = user.track(str(artists))
        user.track("--force")  # what the first run left unread
        say(f"{options.artists} artists, learnt with {learnt['cost']['requests']:,} requests; then, with nothing new:")
        say()
        starts = [user.run("track", "--from-cache").wall for _ in range(options.times)]
        spotify.control(latency_ms=options.latency_ms)
        slow = [user.track("--force") for _ in range(options.times)]
        spotify.control(latency_ms=0)
        fast = [user.track("--force") for _ in range(options.times)]
        bare = [measure(BARE).wall for _ in range(options.times)]
    return _show(options, slow, fast, (median(starts), median(bare)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artists", type=int, default=500)
    parser.add_argument("--latency-ms", type=float, default=50.0)
    parser.add_argument("--times", type=int, default=5, help="runs of which the median counts")
    return parser.parse_args()


Runs = Sequence[tuple[Measured, dict[str, Any]]]


def _show(options: argparse.Namespace, slow: Runs, fast: Runs, starts: tuple[float, float]) -> int:
    cost = slow[0][1]["cost"]
    checked = slow[0][1]["coverage"]["checked"]
    requests = cost["requests"]
    bound = requests * options.latency_ms / 1_000 / IN_FLIGHT
    wall, cpu = median(run.wall for run, _ in slow), median(run.cpu for run, _ in slow)
    quick, quick_cpu = median(run.wall for run, _ in fast), median(run.cpu for run, _ in fast)
    a_check = cpu / checked * 1_000
    wire = max(report["cost"]["bytes_received"] for _, report in slow) / 1e6
    fact("artists checked", checked)
    fact("requests", requests, f"{cost['not_modified']:,} answered 304")
    fact("MB on the wire", f"{wire:.2f}")
    fact("memory at most, MB", f"{max(run.memory for run, _ in slow):.0f}")
    fact("start-up: track --from-cache, s", f"{starts[0]:.2f}", f"{BARE[-1]}: {starts[1]:.2f}")
    say()
    say(f"  {'latency':<20}{'least':>10}{'wall, s':>10}{'CPU, s':>10}{'CPU ms a check':>18}")
    say(f"  {f'{options.latency_ms:g} ms':<20}{bound:>10.2f}{wall:>10.2f}{cpu:>10.2f}{a_check:>18.2f}")
    say(f"  {'none':<20}{0:>10.2f}{quick:>10.2f}{quick_cpu:>10.2f}{quick_cpu / checked * 1_000:>18.2f}")
    return verdict(
        (
            (
                f"wall at most 1.25 x {bound:.2f} s and start-up: {1.25 * bound + starts[0]:.2f} s",
                wall <= 1.25 * bound + starts[0],
            ),
            ("at most 5 ms of CPU a check", a_check <= 5),
            ("at most 2 MB on the wire", wire <= 2),
        )
    )


if __name__ == "__main__":
    sys.exit(main())
