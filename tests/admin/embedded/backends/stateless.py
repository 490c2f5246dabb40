"""What do the backends of AsyncMQ's JWT page share? Nothing to sign in with here, nothing to sign out from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jwt
from lilya.requests import Request
from lilya.responses import HTMLResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from embedded.configuration import Configuration

SCHEME = "bearer"


class StatelessBackend:
    """A login page that only explains; a logout that leads to it."""

    explanation: str

    async def login(self, _request: Request) -> Response:
        return HTMLResponse(f"<!doctype html><title>Sign in</title><p>{self.explanation}</p>")

    async def logout(self, _request: Request) -> Response:
        # The page leads to the bare path, wherever the admin is mounted; so do the admins that were built after it.
        return RedirectResponse("/login", status_code=303)

    def routes(self) -> list[Any]:
        return []


class TokenCheck:
    """What a token must say. A claim that is not configured is not checked, except that PyJWT refuses a token with an
    audience when nobody expects one."""

    def __init__(self, configuration: Configuration) -> None:
        self._key = configuration.secret
        self._expected: dict[str, Any] = {"algorithms": [configuration.algorithm]}
        if configuration.audience is not None:
            self._expected["audience"] = configuration.audience
        if configuration.issuer is not None:
            self._expected["issuer"] = configuration.issuer

    def claims(self, token: str) -> Mapping[str, Any] | None:
        """The claims of a valid token that names a subject; nothing in every other case, whatever is wrong."""
        try:
            claims = jwt.decode(token, self._key, **self._expected)
        except jwt.PyJWTError:
            return None
        return claims if claims.get("sub") else None


def bearer(value: str | None) -> str | None:
    """The token in `Bearer <token>`; the scheme in any case (RFC 9110 §11.1)."""
    scheme, _, token = (value or "").partition(" ")
    return token.strip() or None if scheme.lower() == SCHEME else None
