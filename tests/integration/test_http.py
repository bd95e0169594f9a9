"""The HTTP client against a real server on loopback, and against time-outs on a loop whose time jumps."""

from __future__ import annotations

import asyncio
import gzip
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx2
import pytest
from tests.integration.wire import blackhole, dripping, run, unreachable

from freshwax.errors import CheckError, UsageError
from freshwax.secret import Secret
from freshwax.sources.http import HttpClient, Response


class Server:
    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.connections = 0
        self.heads: list[bytes] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                self.heads.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(self.answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(answer: bytes) -> AsyncIterator[Server]:
    server = Server(answer)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listener.close()
        await listener.wait_closed()


def answer(body: bytes, *fields: str, status: str = "200 OK") -> bytes:
    head = "".join(f"{field}\r\n" for field in (*fields, f"Content-Length: {len(body)}"))
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def ask(
    raw: bytes, times: int = 1, check: Callable[[Server], None] = lambda _: None, **options: int
) -> list[Response | CheckError]:
    async def main() -> list[Response | CheckError]:
        async with serving(raw) as server:
            client = HttpClient(**options)
            results: list[Response | CheckError] = []
            for _ in range(times):
                try:
                    results.append(await client.send("GET", f"{server.url}/x", headers={"If-None-Match": "e"}))
                except CheckError as error:
                    results.append(error)
            await client.aclose()
            check(server)
            return results

    return asyncio.run(main())


def failure(send: Callable[[], Awaitable[Response]]) -> CheckError:
    async def main() -> CheckError:
        with pytest.raises(CheckError) as caught:
            await send()
        return caught.value

    return run(main())


def test_an_answer_is_unpacked_and_weighed_as_it_came_over_the_wire() -> None:
    text = b'{"items":[]}' * 500
    raw = answer(gzip.compress(text), "Content-Encoding: gzip", "ETag: abc", "Date: Fri, 06 Mar 2026 12:00:00 GMT")

    (got,) = ask(raw)

    assert isinstance(got, Response)
    assert (got.status, got.body, got.headers["etag"]) == (200, text, "abc")
    assert got.bytes_on_wire == len(raw)


def test_a_connection_is_kept_and_gzip_asked_for() -> None:
    def check(server: Server) -> None:
        assert server.connections == 1
        assert len(server.heads) == 5
        assert b"accept-encoding: gzip\r\n" in server.heads[0].lower()
        assert b"user-agent: freshwax/" in server.heads[0].lower()
        assert b"if-none-match: e\r\n" in server.heads[0].lower()

    assert len(ask(answer(b"{}"), times=5, check=check)) == 5


@pytest.mark.parametrize(
    "raw",
    [answer(b"x" * 2000), answer(gzip.compress(b"0" * 3_000_000), "Content-Encoding: gzip")],
    ids=["plain", "bomb"],
)
def test_an_answer_beyond_the_cap_is_not_read(raw: bytes) -> None:
    (got,) = ask(raw, max_body=1000)

    assert isinstance(got, CheckError)
    assert (got.code, got.transient) == ("too_large", False)


def test_damaged_compression_is_bad_data() -> None:
    (got,) = ask(answer(b"this is not gzip", "Content-Encoding: gzip"))

    assert isinstance(got, CheckError)
    assert got.code == "bad_data"


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    def check(server: Server) -> None:
        assert len(server.heads) == 1

    (got,) = ask(answer(b"", "Location: http://127.0.0.1:1/steal", status="302 Found"), check=check)

    assert isinstance(got, Response)
    assert got.status == 302


@pytest.mark.parametrize("raw", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", b"garbage\r\n\r\n"])
def test_an_answer_that_breaks_off_is_a_transient_network_failure(raw: bytes) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        writer.close()

    async def main() -> CheckError:
        listener = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        client = HttpClient()
        with pytest.raises(CheckError) as caught:
            await client.send("GET", f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/")
        await client.aclose()
        listener.close()
        await listener.wait_closed()
        return caught.value

    error = asyncio.run(main())

    assert (error.code, error.transient) == ("network", True)


def test_a_refused_connection_is_a_transient_network_failure_that_names_the_host() -> None:
    async def main() -> CheckError:
        async with serving(b"") as server:
            url = server.url
        client = HttpClient()
        with pytest.raises(CheckError) as caught:
            await client.send("GET", f"{url}/x?y=z")
        await client.aclose()
        return caught.value

    error = asyncio.run(main())

    assert (error.code, error.transient) == ("network", True)
    assert "127.0.0.1" in str(error)


@pytest.mark.parametrize(
    ("handler", "words"), [(unreachable, "within 5 s"), (blackhole, "nothing for 10 s"), (dripping, "within 12 s")]
)
def test_silence_is_a_transient_time_out(handler: Callable[[httpx2.Request], Awaitable[object]], words: str) -> None:
    async def handle(request: httpx2.Request) -> httpx2.Response:
        result = await handler(request)
        if isinstance(result, Exception):
            raise result
        assert isinstance(result, httpx2.Response)
        return result

    client = HttpClient(transport=httpx2.MockTransport(handle))
    error = failure(lambda: client.send("GET", "https://api.test/x"))

    assert (error.code, error.transient) == ("timeout", True)
    assert words in str(error)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.spotify.com/v1",
        "http://127.0.0.1.evil.test/",
        "ftp://x/",
        "https:///x",
        "api.spotify.com",
        "http://[x/",
    ],
)
def test_what_is_neither_https_nor_this_machine_is_never_asked(url: str) -> None:
    async def main() -> None:
        client = HttpClient(transport=httpx2.MockTransport(lambda _: pytest.fail("asked")))
        with pytest.raises(UsageError):
            await client.send("GET", url)

    asyncio.run(main())


def test_no_secret_is_in_an_error_nor_in_its_traceback() -> None:
    def handle(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ProxyError("http://user:s3cret@proxy refused", request=request)

    client = HttpClient(transport=httpx2.MockTransport(handle))
    client.hide("s3cret", "")
    error = failure(lambda: client.send("GET", "https://api.test/x", headers={"Authorization": "Bearer s3cret"}))

    assert "the proxy refuses" in str(error)
    assert "s3cret" not in "".join(traceback.format_exception(error))


def test_a_secret_shows_itself_to_those_who_ask_only() -> None:
    secret = Secret("hush")

    assert f"{secret} {secret!r} {[secret]}".count("hush") == 0
    assert secret.reveal() == "hush"
    assert not Secret("")


def test_params_and_a_form_are_encoded() -> None:
    seen: list[httpx2.Request] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200)

    client = HttpClient(transport=httpx2.MockTransport(handle))
    run(client.send("POST", "https://api.test/x", params={"q": "a b&c"}, data={"grant": "x y"}))

    assert str(seen[0].url) == "https://api.test/x?q=a+b%26c"
    assert seen[0].content == b"grant=x+y"
