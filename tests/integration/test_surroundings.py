"""Proxies and certificates of the environment that cannot be used: a sentence, and nothing of a password."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.integration.test_http_trust import SELF_SIGNED, listening

from freshwax.errors import CheckError, FreshwaxError, UsageError
from freshwax.secret import Secret
from freshwax.sources.heartbeat import Heartbeat
from freshwax.sources.http import HttpClient

ELSEWHERE = "https://127.0.0.1:9/v1"
PARTS = ("joe", "hunt", "hun", "ter2")
UNUSABLE = [
    "http://joe:hun/ter2@127.0.0.1:9",
    "http://joe:hun#ter2@127.0.0.1:9",
    "http://joe:hun?ter2@127.0.0.1:9",
    "http://joe:12/hunter2@127.0.0.1:9",  # else joe would be taken for the host
    "http://joe:hunter2",
    "joe:hun/ter2@127.0.0.1:9",
    "joe:hun://ter2@127.0.0.1:9",
    "http://joe:hunter2@127.0.0.1:9a",
    "http://joe:hunter2@127.0.0.1:99999",
    "http://joe:hunter2@[::1:9",
    "http://joe:hunter2@",
    "http://joe:hun\nter2@127.0.0.1:9",
    "http://joe:hunter2@b\u00fc\udcff.test",
    "http://joe:hunter2\udcff@127.0.0.1:9",
    "ftp://joe:hunter2@127.0.0.1:9",
    "socks4://joe:hunter2@127.0.0.1:9",
    "socks5://joe:hunter2@127.0.0.1:9",
]


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def failure(url: str = ELSEWHERE) -> FreshwaxError:
    async def main() -> FreshwaxError:
        client = HttpClient()
        with pytest.raises(FreshwaxError) as caught:
            await client.send("GET", url)
        await client.aclose()
        return caught.value

    return asyncio.run(main())


def early(*urls: str) -> str:
    with pytest.raises(UsageError) as caught:
        HttpClient().check(*urls)
    return str(caught.value)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy"])
@pytest.mark.parametrize("address", UNUSABLE, ids=range(len(UNUSABLE)))
def test_a_proxy_that_cannot_be_used_is_named_by_its_variable_only(
    name: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, address)
    warnings: list[str] = []
    heart = Heartbeat(Secret(f"{ELSEWHERE}/c4pability"), warnings.append)
    heart.end("success", "", 60)

    told = failure()
    said = [str(told), early(ELSEWHERE), *warnings]

    assert isinstance(told, UsageError)
    assert len(said) == 3
    for sentence in said:
        assert name in sentence
        assert [part for part in (*PARTS, "127.0.0.1", "c4pability") if part in sentence.replace(ELSEWHERE, "")] == []
    assert ("percent-encode" in str(told)) == ("socks5" not in address)


def test_a_socks_proxy_is_called_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5h://127.0.0.1:1080")
    assert "ALL_PROXY names a SOCKS proxy" in early(ELSEWHERE)


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("HTTPS_PROXY", "http://joe:hun%2Fter2@127.0.0.1:9"),
        ("HTTPS_PROXY", "http://joe:hun@ter2@127.0.0.1:9/"),
        ("HTTPS_PROXY", "HTTP://joe:hun[ ter2@127.0.0.1:9/ignored"),
        ("HTTPS_PROXY", "joe:hunter2@127.0.0.1:9"),
        ("all_proxy", "https://joe:hunter2@[::1]:9"),
        ("HTTPS_PROXY", "http://joe:h\u00fcnter2@127.0.0.1:9"),
    ],
)
def test_a_proxy_that_cannot_be_reached_is_an_outage(name: str, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, address)
    HttpClient().check(ELSEWHERE)

    told = failure()

    assert isinstance(told, CheckError)
    assert "127.0.0.1:9 cannot be reached" in str(told)
    assert f"{name} names a proxy" in str(told)
    assert [part for part in PARTS if part in str(told)] == []


def test_what_nobody_heeds_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", UNUSABLE[0])
    HttpClient().check("http://127.0.0.1:9/v1", "http://localhost:9")
    assert isinstance(failure("http://127.0.0.1:9/v1"), CheckError)
    monkeypatch.setenv("NO_PROXY", "a.test, *")
    HttpClient().check(ELSEWHERE)
    assert "names a proxy" not in str(failure())
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("https_proxy", "")  # as urllib has it: the small one wins, and takes the other away
    HttpClient().check(ELSEWHERE)
    assert "names a proxy" not in str(failure())


def test_what_a_proxy_says_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(status: str) -> str:
        refusal = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()
        async with listening(refusal) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://joe:hunter2@127.0.0.1:{proxy.port}")
            client = HttpClient()
            with pytest.raises(CheckError) as caught:
                await client.send("GET", "https://api.test/v1")
            await client.aclose()
            return str(caught.value)

    assert "the proxy wants another user or password" in asyncio.run(main("407 you sent am9lOmh1bnRlcjI= for joe"))
    other = asyncio.run(main("502 joe:hunter2 is down"))
    assert "the proxy refuses: HTTP 502" in other
    assert "hunter2" not in other


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 2x0 hush-hush\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nhush-hush\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhush-hush\r\n",
        b"hush-hush\r\n\r\n",
    ],
)
def test_an_answer_that_is_no_http_is_not_quoted(raw: bytes) -> None:
    async def main() -> CheckError:
        async with listening(raw) as server:
            client = HttpClient()
            with pytest.raises(CheckError) as caught:
                await client.send("GET", f"http://127.0.0.1:{server.port}/")
            await client.aclose()
            return caught.value

    told = asyncio.run(main())
    assert (told.code, told.transient) == ("network", True)
    assert "its answer is no proper HTTP" in str(told)
    assert "hush" not in str(told)


def test_a_refused_connection_and_an_unknown_name_are_called_so() -> None:
    assert "(Connection refused)" in str(failure())


def test_certificates_that_cannot_be_read_are_told_before_anything_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    broken = tmp_path / "broken.pem"
    broken.write_text(SELF_SIGNED.read_text().replace("MII", "M!I"))
    for path, reason in (
        (tmp_path / "none.pem", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (empty, "no certificate"),
        (broken, "no certificate"),
    ):
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        told = early(ELSEWHERE)
        assert told.startswith(f"SSL_CERT_FILE: {str(path)!r} cannot be used ({reason}")
        assert str(failure()) == told
        assert isinstance(failure(), UsageError)
    monkeypatch.setenv("SSL_CERT_FILE", "")
    for path, reason in ((tmp_path / "none", "No such file or directory"), (empty, "Not a directory")):
        monkeypatch.setenv("SSL_CERT_DIR", str(path))
        assert early(ELSEWHERE).startswith(f"SSL_CERT_DIR: {str(path)!r} cannot be used ({reason}")
        assert isinstance(failure(), UsageError)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    HttpClient().check(ELSEWHERE)


def test_whoever_trusts_nobody_is_told_by_which_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> str:
        async with listening(certificate=SELF_SIGNED) as server:
            client = HttpClient()
            with pytest.raises(CheckError) as caught:
                await client.send("GET", f"https://localhost:{server.port}/")
            await client.aclose()
            return str(caught.value)

    assert asyncio.run(main()).endswith("check this machine's clock, and what stands between")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    told = asyncio.run(main())
    assert "cannot be trusted" in told
    assert told.endswith("check SSL_CERT_DIR, this machine's clock, and what stands between")
