"""AsyncMQ's own login form with a session cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncmq.contrib.dashboard.admin.backends.simple_user import SimpleUsernamePasswordBackend
from asyncmq.contrib.dashboard.admin.protocols import User

if TYPE_CHECKING:
    from embedded.accounts import Accounts
    from embedded.configuration import Configuration


async def make(_configuration: Configuration, accounts: Accounts) -> SimpleUsernamePasswordBackend:
    """`login_form`: `users` sign in with `username` and `password`."""

    def verify(username: str, password: str) -> User | None:
        account = accounts.with_password(username, password)
        if account is None:
            return None
        return User(
            id=account.id, name=account.name or account.username, is_admin=account.is_admin, roles=account.roles
        )

    return SimpleUsernamePasswordBackend(verify)
