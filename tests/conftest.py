"""What every test stands on: an empty environment, an empty home, no network but the loopback, hypothesis profiles."""

from __future__ import annotations

import ipaddress
import itertools
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# `make test` and .ci/run use `ci`: the same examples every time. pytest run by hand uses `dev`: few and random ones.
# HYPOTHESIS_PROFILE=deep is for an evening on which the invariants are in doubt.
_CALM = [HealthCheck.too_slow]
settings.register_profile(
    "ci", derandomize=True, max_examples=200, deadline=None, print_blob=True, suppress_health_check=_CALM
)
settings.register_profile("dev", max_examples=50, deadline=None, suppress_health_check=_CALM)
settings.register_profile("deep", max_examples=5000, deadline=None, print_blob=True, suppress_health_check=_CALM)
# Whoever starts the tests in the background, or under nohup, has these ignored, and what the tests start would as well.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

_SCRUBBED_PREFIXES = ("FRESHWAX_", "_FRESHWAX_", "SPOTIPY_", "SPOTIFY_", "XDG_", "LC_")
_SCRUBBED = {
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "FORCE_COLOR",
    "LANGUAGE",
    "LINES",
    "NO_COLOR",
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
}
_SET = {"LANG": "C.UTF-8", "TERM": "dumb", "TZ": "UTC"}
_home_numbers = itertools.count()


class NetworkForbiddenError(AssertionError):
    """A test reached for a machine other than this one."""


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """Let sockets speak to this machine only; names other than its own are not even looked up."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        patch.setattr(socket, "getaddrinfo", _guarded_lookup(socket.getaddrinfo))
        yield


@pytest.fixture(autouse=True)
def _clean_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what the machine's owner has set, and give the test an empty home."""
    for name in list(os.environ):
        if name.startswith(_SCRUBBED_PREFIXES) or name.upper() in _SCRUBBED:
            monkeypatch.delenv(name)
    for name, value in _SET.items():
        monkeypatch.setenv(name, value)
    home = tmp_path_factory.getbasetemp() / f"home-{next(_home_numbers)}"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))


@pytest.fixture
def home() -> Path:
    """Return the test's own, empty, home folder."""
    return Path.home()


def _guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, *args: Any) -> Any:
        address = args[-1]
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_this_machine(address[0]):
            raise NetworkForbiddenError(f"no test may speak to {address[0]}")
        return method(self, *args)

    return guarded


def _guarded_lookup(lookup: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host is not None and not _is_this_machine(host):
            raise NetworkForbiddenError(f"no test may look up {host}")
        return lookup(host, *args, **kwargs)

    return guarded


def _is_this_machine(host: str | bytes) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False
