"""The JWT backend that AsyncMQ ships."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncmq.contrib.dashboard.admin.backends.jwt import JWTAuthBackend

if TYPE_CHECKING:
    from embedded.accounts import Accounts
    from embedded.configuration import Configuration


async def make(configuration: Configuration, _accounts: Accounts) -> JWTAuthBackend:
    """`jwt`: the token in a header with a scheme; RS256 and ES256 take the public key as `secret`."""
    return JWTAuthBackend(
        secret=configuration.secret,
        algorithms=[configuration.algorithm],
        audience=configuration.audience,
        issuer=configuration.issuer,
        header=configuration.header or "Authorization",
        scheme=configuration.scheme,
        leeway=configuration.leeway,
    )
