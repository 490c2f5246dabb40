"""Who may enter? One file per way that AsyncMQ's admins sign operators in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embedded.accounts import Accounts
    from embedded.configuration import Configuration


@dataclass(frozen=True)
class Backend:
    """How to make one. `knows_admins` says whether its users can pass a gate that lets only admins in."""

    make: Callable[[Configuration, Accounts], Awaitable[Any]]
    reads_tokens: bool = False
    knows_admins: bool = True


def _in(module: str) -> Callable[[Configuration, Accounts], Awaitable[Any]]:
    """Imported when it is needed: an older release has not everything that each of them wants."""

    async def make(configuration: Configuration, accounts: Accounts) -> Any:
        return await import_module(f"embedded.backends.{module}").make(configuration, accounts)

    return make


async def _none(_configuration: Configuration, _accounts: Accounts) -> None:
    return None


BACKENDS = {
    "jwt": Backend(_in("shipped_jwt"), reads_tokens=True),
    "documented_jwt": Backend(_in("header_or_cookie"), reads_tokens=True),
    "documented_jwt_db": Backend(_in("database_user"), reads_tokens=True),
    "proxy_header": Backend(_in("proxy_header"), knows_admins=False),
    "login_form": Backend(_in("login_form")),
    "open": Backend(_none),
}
