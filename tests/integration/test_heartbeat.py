"""The heartbeat against a real server on loopback: what it is told, in which order, and what becomes of its moods."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.monitor import Monitor

from freshwax.secret import Secret
from freshwax.sources.heartbeat import Heartbeat


@pytest.fixture
def monitor() -> Iterator[Monitor]:
    with Monitor() as monitor:
        yield monitor


def told(url: str, signal: str = "success", text: str = "", patience: float = 20) -> list[str]:
    """Begin and end; return the warnings."""
    warnings: list[str] = []
    heartbeat = Heartbeat(Secret(url), warnings.append)
    heartbeat.start()
    heartbeat.end(signal, text, patience)
    assert "c4pability" not in "".join(warnings)
    return warnings


@pytest.mark.parametrize(("signal", "path"), [("success", ""), ("log", "/log"), ("fail", "/fail")])
def test_the_beginning_comes_first_then_the_end_with_its_text(monitor: Monitor, signal: str, path: str) -> None:
    assert told(monitor.url, signal, "497 of 500 ÷ \ud800") == []
    assert monitor.paths == ["/start", path]
    assert monitor.text == "497 of 500 ÷ ?"
    assert monitor.agents[0].startswith("freshwax/")


def test_what_an_address_asks_stays_at_its_end(monitor: Monitor) -> None:
    assert told(monitor.url + "/?create=1") == []
    assert monitor.paths == ["/start?create=1", "/?create=1"]


@pytest.mark.parametrize("status", [301, 404, 500])
def test_a_refusal_is_one_warning(monitor: Monitor, status: int) -> None:
    monitor.status = status
    assert told(monitor.url) == [f"The heartbeat did not arrive: {monitor.host} answered HTTP {status}."]
    assert monitor.paths == ["/start", ""], "a redirect is not followed: the address is nobody else's business"


@pytest.mark.parametrize(
    ("answer", "words"), [("OK (not found)", "does not know this address"), ("OK (rate limited)", "called too often")]
)
def test_a_service_that_says_ok_and_means_no_is_understood(monitor: Monitor, answer: str, words: str) -> None:
    monitor.answer = answer
    assert words in told(monitor.url)[0]


def test_a_refused_connection_is_one_warning() -> None:
    with Monitor() as monitor:
        url = monitor.url
    (warning,) = told(url)
    assert f"{monitor.host} cannot be reached" in warning


def test_a_service_that_does_not_answer_is_waited_for_as_long_as_was_said(monitor: Monitor) -> None:
    monitor.open.clear()
    assert told(monitor.url, patience=0.05) == [
        f"The heartbeat did not arrive: {monitor.host} did not answer within 0.05 s."
    ]


def test_what_cannot_be_called_is_a_warning_too() -> None:
    assert len(told("http://127.0.0.1:1\x00/c4pability-5f2e")) == 1
    assert len(told("http://example.test/c4pability-5f2e")) == 1
