"""Who is known to this server? The users of its configuration."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, get_type_hints

from embedded.serving import ConfigurationError, check_keys


@dataclass
class Account:
    """One user. `id` is what a token's `sub` says; without `username` it is also what a login form takes."""

    id: str
    username: str = ""
    password: str = field(default="", repr=False)
    name: str | None = None
    email: str | None = None
    is_active: bool = True
    is_admin: bool = True
    roles: list = field(default_factory=list)
    # Further claims of the tokens that the issuer makes.
    claims: dict = field(default_factory=dict)

    @staticmethod
    def read(given: Any) -> Account:
        """Checks one user of the configuration."""
        check_keys("a user", given, get_type_hints(Account))
        if "id" not in given:
            raise ConfigurationError("a user needs an `id`")
        account = Account(**given)
        account.username = account.username or account.id
        return account


class Accounts:
    """The users by `id`. They can change while the server runs."""

    def __init__(self, users: list[Any]) -> None:
        self._by_id = {account.id: account for account in map(Account.read, users)}

    def __iter__(self) -> Any:
        return iter(self._by_id.values())

    def get(self, account_id: str) -> Account | None:
        """The user whom a token names."""
        return self._by_id.get(account_id)

    def with_password(self, username: str, password: str) -> Account | None:
        """The active user who signs in so."""
        for account in self:
            if account.username == username and account.password and account.password == password:
                return account if account.is_active else None
        return None

    def change(self, given: dict[str, Any]) -> Account:
        """Adds a user, or lays the given keys over one who is there."""
        known = self._by_id.get(str(given.get("id")))
        now = asdict(known) if known else {}
        account = Account.read({**now, **given})
        self._by_id[account.id] = account
        return account
