"""A run in this process: the event loop around it, and the signals that end it early."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from freshwax.clock import Clock
from freshwax.discovery.classify import Moment, held_of, release_held
from freshwax.discovery.editions import all_keys
from freshwax.model import Ref, Run
from freshwax.sources.base import Source
from freshwax.store.base import Store
from freshwax.tracking.options import Meter, Progress, RunOptions
from freshwax.tracking.run import run

_HANGUP = getattr(signal, "SIGHUP", None)  # a closed terminal; Windows has none


def track(
    store: Store,
    open_source: Callable[[], tuple[Source, Meter]],
    clock: Clock,
    options: RunOptions,
    progress: Progress | None = None,
    *,
    stopped: Callable[[], None] = lambda: None,
) -> Run:
    """Do one run and return it, finished. ``open_source`` is called inside the event loop, which the source belongs to.

    SIGINT, SIGTERM and SIGHUP end the run as ``paused``: what is on the wire is dropped, what was committed stays. Then
    ``stopped`` is called, for those who would go on with something else: a run that had nothing left is ``completed``.
    """
    return asyncio.run(_track(store, open_source, clock, options, progress, stopped))


async def _track(
    store: Store,
    open_source: Callable[[], tuple[Source, Meter]],
    clock: Clock,
    options: RunOptions,
    progress: Progress | None,
    stopped: Callable[[], None],
) -> Run:
    source, meter = open_source()
    task = asyncio.create_task(run(store, source, meter, clock, options, progress))
    try:
        with _ending_on_signals(task, store, stopped):
            return await task
    finally:
        await source.aclose()


@contextmanager
def _ending_on_signals(task: asyncio.Task[Run], store: Store, stopped: Callable[[], None]) -> Iterator[None]:
    """Let signals cancel a task. Not by the loop's own handlers: those wait while the store waits for a lock."""
    loop = asyncio.get_running_loop()

    def end(*_: object) -> None:
        store.hurry()
        stopped()
        loop.call_soon_threadsafe(task.cancel)

    before = {number: signal.getsignal(number) for number in _signals()}
    with suppress(ValueError):  # no thread but the main one can handle signals
        for number in before:
            signal.signal(number, end)
    try:
        yield
    finally:
        with suppress(ValueError):
            for number, handler in before.items():
                signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _signals() -> list[int]:
    """Return what ends a run; not a hang-up that whoever started this wants ignored, as ``nohup`` does."""
    signals: list[int] = [signal.SIGINT, signal.SIGTERM]
    if _HANGUP is not None and signal.getsignal(_HANGUP) is not signal.SIG_IGN:
        signals.append(_HANGUP)
    return signals


def decide_held(store: Store, artist: Ref, moment: Moment, channels: tuple[str, ...]) -> int:
    """Decide an artist's held releases by the usual rules; return how many are to be told now."""
    with store.write() as tx:
        follow = tx.follow(artist)
        held, twins = held_of(follow)
        if not held:
            return 0
        keys = {keys.key for known in (*held, *twins) for keys in all_keys(known) if keys.key}
        announced = tx.announced({known.release.ref for known in (*held, *twins)}, keys)
        result = release_held(follow, announced, moment)
        tx.save(result, channels)
    return sum(one.kind is not None for one in result.decisions)
