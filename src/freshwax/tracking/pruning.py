"""What a run drops when it has ended: outcomes and requests that nobody asks for any more, details of old releases."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from freshwax.errors import StoreError
from freshwax.store.base import Store
from freshwax.tracking.options import RunOptions

STEP = 5_000  # rows in one transaction: others wait a fraction of a second for it, and so does Ctrl-C
STEPS = 40  # after one run; the next ones go on
LEAST = timedelta(days=7)  # the quota counts the requests of a day, a report names the failures of the last run
_log = logging.getLogger(__name__)


async def prune(store: Store, now: datetime, options: RunOptions) -> None:
    """Drop what is older than the options say. A database that refuses is no failure of the run: it is logged.

    A release that the look-back covers keeps its details, so that ``--baseline`` can print it again.
    """
    checks_before = now - max(options.keep_checks, LEAST)
    releases_before = None
    if options.keep_releases is not None:
        releases_before = now - max(options.keep_releases, timedelta(days=options.lookback), LEAST)
    dropped = forgotten = 0
    try:
        for _ in range(STEPS):
            done = store.prune(checks_before=checks_before, releases_before=releases_before, most=STEP)
            if not done.dropped and not done.forgotten:
                break
            dropped, forgotten = dropped + done.dropped, forgotten + done.forgotten
            await asyncio.sleep(0)
    except StoreError as error:
        _log.warning("what is old was not dropped: %s", error)
    if dropped or forgotten:
        _log.info("dropped %d old outcomes and requests, and the details of %d old releases", dropped, forgotten)
