"""The third backend of AsyncMQ's JWT page: a proxy in front says who it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lilya.requests import Request

from embedded.backends.stateless import StatelessBackend

if TYPE_CHECKING:
    from embedded.accounts import Accounts
    from embedded.configuration import Configuration


class ProxyHeaderBackend(StatelessBackend):
    """Whoever the header names is in. It names no admin, so a gate that wants admins answers 403 to everybody."""

    explanation = "This test admin stands behind a proxy that says in a header who signed in."

    def __init__(self, header: str) -> None:
        self._header = header

    async def authenticate(self, request: Request) -> dict[str, Any] | None:
        user = request.headers.get(self._header)
        return {"id": user, "name": user} if user else None


async def make(configuration: Configuration, _accounts: Accounts) -> ProxyHeaderBackend:
    """`proxy_header`: the user's name in `header`."""
    return ProxyHeaderBackend(configuration.header or "X-Authenticated-User")
