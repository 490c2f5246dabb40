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

# The first and the last event of one round of `/events` (asyncmq/contrib/dashboard/controllers/sse.py). AsyncMQ sends the
# last one together with the next round, five seconds later.
FIRST_EVENT_OF_A_ROUND = b"event: overview\n"
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


async def build(configuration: Configuration, accounts: Accounts, tell: Callable[[str], None]) -> MountedAdmin:
    """The admin. `tell` is called for every `/events` stream: `events_begun` with its first event, `events_stream` with a
    whole round."""
    backend = await BACKENDS[configuration.backend].make(configuration, accounts)
    if releases.HAS_ADMIN:
        application = _admin(configuration, backend)
    elif backend is None:
        application = releases.open_dashboard(configuration.prefix)
    else:
        raise ConfigurationError(f"AsyncMQ {releases.VERSION} has no admin package: its one `backend` is `open`")
    return MountedAdmin(StreamWatch(application, tell), backend)


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
    """ASGI middleware that says when a live stream has delivered something, and everything, that a page shows."""

    def __init__(self, application: Any, tell: Callable[[str], None]) -> None:
        self._application = application
        self._tell = tell

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].endswith("/events"):
            await self._application(scope, receive, send)
            return
        waiting_for = [(FIRST_EVENT_OF_A_ROUND, "events_begun"), (LAST_EVENT_OF_A_ROUND, "events_stream")]

        async def watched(message: Any) -> None:
            await send(message)
            while waiting_for and waiting_for[0][0] in message.get("body", b""):
                self._tell(waiting_for.pop(0)[1])

        await self._application(scope, receive, watched)
