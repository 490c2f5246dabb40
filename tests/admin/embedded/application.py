"""How is the dashboard mounted, and who may enter it?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lilya.apps import Lilya

from embedded import releases
from embedded.accounts import Account, Accounts
from embedded.backends import BACKENDS
from embedded.configuration import Configuration
from embedded.serving import ConfigurationError

# The last event of one round of `/events` (asyncmq/contrib/dashboard/controllers/sse.py).
LAST_EVENT_OF_A_ROUND = b"event: latest_queues\n"


@dataclass(frozen=True)
class MountedAdmin:
    """The ASGI application and the backend that guards it."""

    asgi: Any
    backend: Any

    async def account_changed(self, account: Account) -> None:
        """Tells a backend that keeps users of its own."""
        if hasattr(self.backend, "account_changed"):
            await self.backend.account_changed(account)


async def build(configuration: Configuration, accounts: Accounts, on_first_round: Callable[[], None]) -> MountedAdmin:
    """The admin. `on_first_round` is called once for every `/events` stream that delivered a whole round."""
    backend = await BACKENDS[configuration.backend].make(configuration, accounts)
    if releases.HAS_ADMIN:
        application = _admin(configuration, backend)
    elif backend is None:
        application = releases.open_dashboard(configuration.prefix)
    else:
        raise ConfigurationError(f"AsyncMQ {releases.VERSION} has no admin package: its one `backend` is `open`")
    return MountedAdmin(StreamWatch(application, on_first_round), backend)


def _admin(configuration: Configuration, backend: Any) -> Any:
    from asyncmq.contrib.dashboard.admin import AsyncMQAdmin

    options = {
        "enable_login": backend is not None,
        "backend": backend,
        "url_prefix": configuration.prefix,
        "include_cors": False,
        "enforce_same_origin": configuration.enforce_same_origin,
        "require_admin": configuration.wants_admins,
        "required_roles": tuple(configuration.required_roles),
        "trusted_proxies": tuple(configuration.trusted_proxies),
        "login_path": configuration.login_path,
    }
    unchecked = {"enforce_same_origin": False, "require_admin": False, "required_roles": (), "trusted_proxies": ()}
    admin = AsyncMQAdmin(**releases.known_options(AsyncMQAdmin.__init__, options, unchecked))
    if not admin.url_prefix:
        return admin.get_asgi_app()
    application = Lilya()
    admin.include_in(application)
    return application


class StreamWatch:
    """ASGI middleware that says when a live stream has delivered everything that a page shows."""

    def __init__(self, application: Any, on_first_round: Callable[[], None]) -> None:
        self._application = application
        self._on_first_round = on_first_round

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].endswith("/events"):
            await self._application(scope, receive, send)
            return
        waiting = True

        async def watched(message: Any) -> None:
            nonlocal waiting
            await send(message)
            if waiting and LAST_EVENT_OF_A_ROUND in message.get("body", b""):
                waiting = False
                self._on_first_round()

        await self._application(scope, receive, watched)
