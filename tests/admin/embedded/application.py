"""How is the dashboard mounted, and who may enter it?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asyncmq.contrib.dashboard.admin import AsyncMQAdmin
from asyncmq.contrib.dashboard.admin.backends.jwt import JWTAuthBackend
from lilya.apps import Lilya

from embedded.configuration import Configuration

# The first and the last event of one round of `/events` (asyncmq/contrib/dashboard/controllers/sse.py). AsyncMQ sends the
# last one together with the next round, five seconds later.
FIRST_EVENT_OF_A_ROUND = b"event: overview\n"
LAST_EVENT_OF_A_ROUND = b"event: latest_queues\n"


def build(configuration: Configuration, tell: Callable[[str], None]) -> Any:
    """The ASGI application. Of every `/events` stream it tells `events_begun` once it has delivered its first event, and
    `events_stream` once it has delivered a whole round."""
    backend = JWTAuthBackend(
        secret=configuration.secret,
        algorithms=[configuration.algorithm],
        audience=configuration.audience,
        issuer=configuration.issuer,
        header=configuration.header,
        scheme=configuration.scheme,
        leeway=configuration.leeway,
    )
    admin = AsyncMQAdmin(
        enable_login=True,
        backend=backend,
        url_prefix=configuration.prefix,
        include_cors=False,
        enforce_same_origin=configuration.enforce_same_origin,
        require_admin=configuration.require_admin,
        required_roles=tuple(configuration.required_roles),
        trusted_proxies=tuple(configuration.trusted_proxies),
        login_path=configuration.login_path,
    )
    application = Lilya()
    if admin.url_prefix:
        admin.include_in(application)
    else:
        application = admin.get_asgi_app()
    return StreamWatch(application, tell)


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
