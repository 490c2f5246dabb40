"""The first backend of AsyncMQ's JWT page: a token in a header, else in a cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lilya.requests import Request

from embedded.backends.stateless import StatelessBackend, TokenCheck, bearer

if TYPE_CHECKING:
    from embedded.accounts import Accounts
    from embedded.configuration import Configuration


class HeaderOrCookieBackend(StatelessBackend):
    """The header wins: a cookie is looked at only when the header holds no bearer token at all."""

    explanation = "This test admin takes a bearer token, in a header or in a cookie."

    def __init__(self, check: TokenCheck, header: str, cookie: str | None) -> None:
        self._check = check
        self._header = header
        self._cookie = cookie

    async def authenticate(self, request: Request) -> dict[str, Any] | None:
        token = bearer(request.headers.get(self._header))
        if token is None and self._cookie is not None:
            # Lilya has undone quotes and percent-encoding, so `Bearer%20ey…`, `"Bearer ey…"` and a bare space all work.
            token = bearer(request.cookies.get(self._cookie))
        claims = self._check.claims(token) if token else None
        if claims is None:
            return None
        return {"id": claims["sub"], "name": claims.get("name") or claims["sub"], "claims": dict(claims)}


async def make(configuration: Configuration, _accounts: Accounts) -> HeaderOrCookieBackend:
    """`documented_jwt`: `header` (of any name) and, when it is given, `cookie`."""
    header = configuration.header or "Authorization"
    return HeaderOrCookieBackend(TokenCheck(configuration), header, configuration.cookie)
