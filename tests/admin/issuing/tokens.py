"""Which tokens are out? Access tokens are forgotten once made; refresh tokens are kept, and used once."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Issued:
    """What is given to whom."""

    account: Account
    answer: dict[str, Any] = field(repr=False)
    # Seconds since the epoch.
    expires_at: int
    # The refresh token had been used before, within the grace.
    again: bool = False


class Refused(Exception):
    """Why no token is given; one word for the event line, nothing of it secret."""


class Tokens:
    """Makes tokens, and takes refresh tokens back."""

    def __init__(self, configuration: Configuration, accounts: Accounts) -> None:
        self._configuration = configuration
        self._accounts = accounts
        self._refresh_tokens: dict[str, _RefreshToken] = {}

    def for_password(self, username: str, password: str) -> Issued:
        """What whoever signs in so gets."""
        account = self._accounts.with_password(username, password)
        if account is None:
            raise Refused("wrong_password")
        return self._issue(account, _Grant(account.id))

    def for_refresh_token(self, value: str) -> Issued:
        """What comes next of the same sign-in. A token that comes a second time, after the grace, ends the whole sign-in."""
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
            return self._issue(account, None)
        again = known.used_at is not None
        if not again:
            known.used_at = time.time()
        return self._issue(account, known.grant, again)

    def _issue(self, account: Account, grant: _Grant | None, again: bool = False) -> Issued:
        """`grant`: the sign-in that a new refresh token belongs to; none means no new one."""
        configuration = self._configuration
        answer: dict[str, Any] = {}
        access_token, expires_at = self._access_token(account)
        _put(answer, configuration.token_at, access_token)
        if configuration.lifetime_at:
            _put(answer, configuration.lifetime_at, configuration.lifetime)
        if configuration.refresh_at and grant is not None:
            value = secrets.token_urlsafe(32)
            self._refresh_tokens[value] = _RefreshToken(grant, time.time() + configuration.refresh_lifetime)
            _put(answer, configuration.refresh_at, value)
        return Issued(account, answer, expires_at, again)

    def _access_token(self, account: Account) -> tuple[str, int]:
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
        claims |= account.claims
        return jwt.encode(claims, configuration.secret, configuration.algorithm, headers), claims["exp"]


def _put(answer: dict[str, Any], path: str, value: Any) -> None:
    """Sets `value` at names joined by dots, with the objects on the way."""
    *parents, last = path.split(".")
    for name in parents:
        answer = answer.setdefault(name, {})
    answer[last] = value
