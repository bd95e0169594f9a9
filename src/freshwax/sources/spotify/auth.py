"""The client-credentials token: fetched once for all, renewed before it expires and when the API refuses it."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import quote

from freshwax.clock import Clock
from freshwax.errors import AuthError, CheckError
from freshwax.secret import Secret
from freshwax.sources.http import HttpClient, Response
from freshwax.sources.limits import Sender
from freshwax.sources.spotify.parse import error_of, token_of

MARGIN = timedelta(seconds=60)
MISSING = (
    "No Spotify credentials: run `freshwax init`, or set FRESHWAX_SPOTIFY_CLIENT_ID and FRESHWAX_SPOTIFY_CLIENT_SECRET"
)
ADVICE = (
    "check the client ID and secret on https://developer.spotify.com/dashboard, and put "
    "them into the configuration file (`freshwax init` writes one) or FRESHWAX_SPOTIFY_CLIENT_ID and _SECRET"
)


class Auth:
    """Hands out a token to any number of tasks; one of them fetches it, the others wait.

    Raises ``AuthError`` when credentials are missing or refused (asked once, remembered), ``SourceDown`` when the token
    service does not work after the usual retries: without a token nothing can be asked of anybody.
    """

    def __init__(
        self,
        accounts_url: str,
        client_id: str,
        client_secret: Secret,
        *,
        http: HttpClient,
        sender: Sender,
        clock: Clock,
    ) -> None:
        self._url = accounts_url.rstrip("/") + "/api/token"
        self._id = client_id.strip()
        self._secret = Secret(client_secret.reveal().strip())
        self._http = http
        self._sender = sender
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token: str | None = None
        self._expires: datetime | None = None
        self._refused: AuthError | None = None

    async def token(self) -> str:
        """Return a token that is good for a minute at least."""
        if (token := self._fresh()) is not None:
            return token
        async with self._lock:
            if (token := self._fresh()) is not None:
                return token
            return await self._fetch()

    def forget(self, token: str) -> None:
        """Drop a token that the API refused, unless another task has fetched a newer one since."""
        if self._token == token:
            self._token = None

    def refuse(self, why: str) -> AuthError:
        """Remember, for all who ask from now on, that access is refused; return the error to raise."""
        self._refused = AuthError(why)
        return self._refused

    def _fresh(self) -> str | None:
        if self._refused is not None:
            raise AuthError(str(self._refused))
        if self._token is None or self._expires is None or self._clock.now() >= self._expires:
            return None
        return self._token

    async def _fetch(self) -> str:
        if not self._id or not self._secret:
            raise self.refuse(MISSING)
        try:
            response = await self._sender.send(
                "POST", self._url, self._headers, bucket=None, data={"grant_type": "client_credentials"}
            )
            token, seconds = self._read(response)
        except CheckError as error:
            self._sender.breaker.open(f"no access token could be had ({error})")
            self._sender.breaker.pass_or_raise()
            raise
        self._http.hide(token)
        self._token = token
        self._expires = self._clock.now() + timedelta(seconds=seconds) - MARGIN
        return token

    def _read(self, response: Response) -> tuple[str, float]:
        if response.status in {400, 401, 403}:
            raise self.refuse(_refusal(response))
        if response.status != 200:
            raise CheckError(f"it answered HTTP {response.status}", code="http")
        return token_of(response.body)

    async def _headers(self) -> Mapping[str, str]:
        # Encoded first, as RFC 6749 2.3.1 says: a mistyped ID must not break the header.
        pair = f"{quote(self._id, safe='')}:{quote(self._secret.reveal(), safe='')}"
        encoded = b64encode(pair.encode()).decode()
        self._http.hide(self._id, self._secret.reveal(), encoded)
        return {"Authorization": f"Basic {encoded}"}


def _refusal(response: Response) -> str:
    error = error_of(response.body)
    said = error.message or error.reason or f"HTTP {response.status}"
    return f"Spotify refused the credentials ({said}): {ADVICE}"
