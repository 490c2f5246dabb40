"""Who may enter? One file per way that AsyncMQ's admins sign operators in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from embedded.backends import database_user, header_or_cookie, login_form, proxy_header, shipped_jwt

if TYPE_CHECKING:
    from embedded.accounts import Accounts
    from embedded.configuration import Configuration


@dataclass(frozen=True)
class Backend:
    """How to make one. `knows_admins` says whether its users can pass a gate that lets only admins in."""

    make: Callable[[Configuration, Accounts], Awaitable[Any]]
    reads_tokens: bool = False
    knows_admins: bool = True


async def _none(_configuration: Configuration, _accounts: Accounts) -> None:
    return None


BACKENDS = {
    "jwt": Backend(shipped_jwt.make, reads_tokens=True),
    "documented_jwt": Backend(header_or_cookie.make, reads_tokens=True),
    "documented_jwt_db": Backend(database_user.make, reads_tokens=True),
    "proxy_header": Backend(proxy_header.make, knows_admins=False),
    "login_form": Backend(login_form.make),
    "open": Backend(_none),
}
