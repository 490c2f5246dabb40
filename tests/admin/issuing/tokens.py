"""Which tokens are out? Access tokens are forgotten once made; refresh tokens are kept, and used once."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any

import jwt

from embedded.accounts import Account, Accounts
from issuing.configuration import Configuration


@dataclass
class _Grant:
    """A sign-in; every refresh token that descends from it names it (RFC 9700 §4.14.2)."""

    account_id: str
    revoked: bool = False


@dataclass
class _RefreshToken:
    grant: _Grant
    # Seconds since the epoch.
    expires_at: float
    used_at: float | None = None


class Refused(Exception):
    """Why no token is given; one word for the event line, nothing of it secret."""


class Tokens:
    """Makes tokens, and takes refresh tokens back."""

    def __init__(self, configuration: Configuration, accounts: Accounts) -> None:
        self._configuration = configuration
        self._accounts = accounts
        self._refresh_tokens: dict[str, _RefreshToken] = {}

    def for_password(self, username: str, password: str) -> tuple[Account, dict[str, Any]]:
        """Who signs in so, and the answer for them."""
        account = self._accounts.with_password(username, password)
        if account is None:
            raise Refused("wrong_password")
        return account, self._answer(account, _Grant(account.id))

    def for_refresh_token(self, value: str) -> tuple[Account, dict[str, Any]]:
        """The next answer of the same sign-in. A token that comes a second time, and later than the grace, ends it all."""
        known = self._refresh_tokens.get(value)
        if known is None or known.grant.revoked:
            raise Refused("unknown_refresh_token")
        if known.used_at is not None and known.used_at + self._configuration.reuse_grace <= time.time():
            known.grant.revoked = True
            raise Refused("reused_refresh_token")
        if known.expires_at <= time.time():
            raise Refused("expired_refresh_token")
        account = self._accounts.get(known.grant.account_id)
        if account is None or not account.is_active:
            raise Refused("inactive_user")
        if not self._configuration.rotate:
            return account, self._answer(account, None)
        if known.used_at is None:
            known.used_at = time.time()
        return account, self._answer(account, known.grant)

    def _answer(self, account: Account, grant: _Grant | None) -> dict[str, Any]:
        """`grant`: the sign-in that a new refresh token belongs to; none means no new one."""
        configuration = self._configuration
        answer: dict[str, Any] = {}
        _put(answer, configuration.token_at, self._access_token(account))
        if configuration.lifetime_at:
            _put(answer, configuration.lifetime_at, configuration.lifetime)
        if configuration.refresh_at and grant is not None:
            value = secrets.token_urlsafe(32)
            self._refresh_tokens[value] = _RefreshToken(grant, time.time() + configuration.refresh_lifetime)
            _put(answer, configuration.refresh_at, value)
        return answer

    def _access_token(self, account: Account) -> str:
        configuration = self._configuration
        now = int(time.time())
        claims = {
            "sub": account.id,
            "name": account.name or account.username,
            "is_admin": account.is_admin,
            "roles": account.roles,
            "iat": now,
            "exp": now + configuration.lifetime,
            # No two tokens are the same, however fast they are asked for.
            "jti": secrets.token_urlsafe(12),
        }
        if configuration.audience is not None:
            claims["aud"] = configuration.audience
        if configuration.issuer is not None:
            claims["iss"] = configuration.issuer
        headers = {"kid": configuration.key_id} if configuration.key_id else None
        return jwt.encode({**claims, **account.claims}, configuration.secret, configuration.algorithm, headers)


def _put(answer: dict[str, Any], path: str, value: Any) -> None:
    """Sets `value` at names joined by dots, with the objects on the way."""
    *parents, last = path.split(".")
    for name in parents:
        answer = answer.setdefault(name, {})
    answer[last] = value
