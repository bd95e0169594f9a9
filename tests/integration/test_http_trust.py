"""Who is spoken to, and what of a secret may come back: real servers on loopback, one with a bad certificate."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from tests.integration.wire import TOKEN, ListLedger, LoopClock, Wire, error, follow, run, spotify

from freshwax.errors import AuthError, CheckError, FreshwaxError, SourceDown
from freshwax.model import Group
from freshwax.secret import Secret
from freshwax.sources.base import Want
from freshwax.sources.http import HttpClient
from freshwax.sources.spotify.client import SpotifySource, make_spotify

SELF_SIGNED = Path(__file__).parent / "certificates" / "self-signed.pem"
SECRET = "s3cret/s3cret"
WANT = Want((Group.ALBUM, Group.SINGLE), "US", LoopClock().start.date())


class Listener:
    """A server that notes what it is sent, and answers each request with the same bytes."""

    def __init__(self, answer: bytes = b"") -> None:
        self.answer = answer
        self.heads: list[bytes] = []
        self.connections = 0
        self.port = 0

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
async def listening(answer: bytes = b"", *, certificate: Path | None = None) -> AsyncIterator[Listener]:
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    listener = Listener(answer)
    server = await asyncio.start_server(listener.serve, "127.0.0.1", 0, ssl=context)
    listener.port = server.sockets[0].getsockname()[1]
    try:
        yield listener
    finally:
        server.close()
        await server.wait_closed()


def source(api_url: str, accounts_url: str) -> SpotifySource:
    return make_spotify(
        "client",
        Secret(SECRET),
        ListLedger(),
        LoopClock(),
        api_url=api_url,
        accounts_url=accounts_url,
        requests_per_second=0,
    )


async def failed_check(asked: SpotifySource) -> FreshwaxError:
    with pytest.raises(FreshwaxError) as caught:
        await asked.check(follow(), WANT)
    await asked.aclose()
    return caught.value


def answer(status: str, body: bytes, *fields: str) -> bytes:
    head = "".join(f"{field}\r\n" for field in (*fields, f"Content-Length: {len(body)}"))
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


GRANTED = answer("200 OK", json.dumps(TOKEN).encode())


def test_a_certificate_that_nobody_vouches_for_ends_the_conversation_before_it_begins() -> None:
    async def main() -> tuple[FreshwaxError, Listener]:
        async with listening(GRANTED, certificate=SELF_SIGNED) as impostor:
            client = HttpClient()
            with pytest.raises(CheckError) as caught:
                await client.send(
                    "POST", f"https://localhost:{impostor.port}/api/token", headers={"Authorization": "Basic eA=="}
                )
            await client.aclose()
            return caught.value, impostor

    failure, impostor = asyncio.run(main())

    assert isinstance(failure, CheckError)
    assert (failure.code, failure.transient) == ("network", True)
    assert f"the certificate of localhost:{impostor.port} cannot be trusted (self-signed certificate)" in str(failure)
    assert impostor.heads == []


def test_an_impostor_is_an_outage_and_gets_no_credentials() -> None:
    async def main() -> tuple[FreshwaxError, Listener]:
        async with listening(GRANTED, certificate=SELF_SIGNED) as impostor:
            url = f"https://localhost:{impostor.port}"
            return await failed_check(source(f"{url}/v1", url)), impostor

    failure, impostor = asyncio.run(main())

    assert isinstance(failure, SourceDown)
    assert "cannot be trusted" in str(failure)
    assert impostor.heads == []


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent"])
def test_a_redirect_takes_neither_token_nor_credentials_to_another_host(status: str) -> None:
    async def main(*, at_the_door: bool) -> tuple[FreshwaxError, list[bytes], int]:
        async with listening(GRANTED) as elsewhere, listening(GRANTED) as accounts:
            away = answer(status, b"", f"Location: http://127.0.0.1:{elsewhere.port}/x")
            async with listening(away) as api:
                token_from = api if at_the_door else accounts
                failure = await failed_check(
                    source(f"http://127.0.0.1:{api.port}/v1", f"http://127.0.0.1:{token_from.port}")
                )
                return failure, elsewhere.heads, len(api.heads)

    for at_the_door in (False, True):
        failure, elsewhere, asked = asyncio.run(main(at_the_door=at_the_door))
        assert status[:3] in str(failure)
        assert failure.exit_code == 3
        assert elsewhere == []
        assert asked == 1, "not asked again and again, either"


def test_a_redirect_to_itself_is_asked_once() -> None:
    async def main() -> tuple[FreshwaxError, int]:
        async with listening(GRANTED) as accounts, listening() as api:
            url = f"http://127.0.0.1:{api.port}/v1"
            api.answer = answer("302 Found", b"", f"Location: {url}")
            failure = await failed_check(source(url, f"http://127.0.0.1:{accounts.port}"))
            return failure, len(api.heads)

    failure, asked = asyncio.run(main())

    assert "302" in str(failure)
    assert asked == 1


def echo(request: httpx2.Request, status: int) -> httpx2.Response:
    """Refuse a request, and quote it: its whole head stands in the message."""
    quoted = f"you sent {request.headers['authorization']} and hush-hush"
    answered = error(status, quoted)
    # Some write the slash of Base64 in JSON with a backslash.
    return httpx2.Response(status, content=answered.content.replace(b"/", rb"\/"))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 418])
def test_what_the_api_quotes_of_a_request_is_masked(status: int) -> None:
    failure = run(failed_check(spotify(Wire(lambda request: echo(request, status)))))

    assert "you sent Bearer ***" in str(failure)
    assert "token-1" not in str(failure)
    assert "hush" not in str(failure)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_what_the_token_service_quotes_of_a_request_is_masked(status: int) -> None:
    wire = Wire(lambda _: httpx2.Response(200), lambda request: echo(request, status))
    failure = run(failed_check(spotify(wire)))
    (asked,) = wire.tokens

    assert isinstance(failure, AuthError)
    assert "you sent Basic ***" in str(failure)
    assert asked.headers["authorization"].removeprefix("Basic ") not in str(failure)
    assert "hush" not in str(failure)


def test_a_proxy_and_its_password_are_not_quoted() -> None:
    def handle(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ProxyError("http://user:passw0rd@proxy.test:8080 refused", request=request)

    async def main() -> CheckError:
        client = HttpClient(transport=httpx2.MockTransport(handle))
        with pytest.raises(CheckError) as caught:
            await client.send("GET", "https://api.test/x")
        return caught.value

    failure = run(main())

    assert "api.test cannot be reached (the proxy refuses)" in str(failure)
    assert "passw0rd" not in str(failure)


def test_a_proxy_in_the_environment_carries_the_connection_and_sees_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> tuple[CheckError, list[bytes]]:
        async with listening(answer("502 Bad Gateway", b"")) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://user:passw0rd@127.0.0.1:{proxy.port}")
            client = HttpClient()
            with pytest.raises(CheckError) as caught:
                await client.send("GET", "https://api.test/v1", headers={"Authorization": "Bearer token-1"})
            await client.aclose()
            return caught.value, proxy.heads

    failure, heads = asyncio.run(main())

    assert [head.split(b"\r\n")[0] for head in heads] == [b"CONNECT api.test:443 HTTP/1.1"]
    assert b"token-1" not in heads[0]
    assert "passw0rd" not in str(failure)


@pytest.mark.parametrize("vouched", [True, False])
def test_a_certificate_that_the_environment_vouches_for_is_trusted(
    vouched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> int | str:
        async with listening(GRANTED, certificate=SELF_SIGNED) as server:
            client = HttpClient()
            try:
                return (await client.send("GET", f"https://localhost:{server.port}/")).status
            except CheckError as error:
                return error.code
            finally:
                await client.aclose()

    if vouched:
        monkeypatch.setenv("SSL_CERT_FILE", str(SELF_SIGNED))

    assert asyncio.run(main()) == (200 if vouched else "network")
