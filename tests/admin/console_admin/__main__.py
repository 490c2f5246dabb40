"""Serves one real admin: `python -m console_admin`, configured by one JSON line on standard input.

Keys (all optional but `secret`): `secret` (at least 32 bytes), `algorithms` (["HS256"]), `audience`, `issuer`, `header`,
`scheme`, `prefix` ("/asyncmq"), `port` (0: a free one), `seed` ("demo", "small", "none"), `required_roles`,
`trusted_proxies`, `title`. The secret comes this way because arguments and environment variables are public.

Prints one JSON line `{"base_url": …}` once it listens and is seeded, then `{"event": "events_stream"}` when an
`/events` stream has delivered its first round. Ends when standard input closes or on SIGTERM.
"""

import json
import logging
import os
import socket
import sys
import threading

os.environ["ASYNCMQ_SETTINGS_MODULE"] = "console_admin.settings.AdminSettings"

import anyio  # noqa: E402
import uvicorn  # noqa: E402
from asyncmq.contrib.dashboard.admin import AsyncMQAdmin  # noqa: E402
from asyncmq.contrib.dashboard.admin.backends.jwt import JWTAuthBackend  # noqa: E402
from lilya.apps import Lilya  # noqa: E402

from . import seed  # noqa: E402


def say(**line: object) -> None:
    print(json.dumps(line), flush=True)


class SaysWhenStreaming:
    """Says once when an `/events` stream has delivered its first round."""

    def __init__(self, app, prefix: str) -> None:
        self.app = app
        self.path = f"{prefix}/events"
        self.said = False

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http" or scope["path"] != self.path or self.said:
            await self.app(scope, receive, send)
            return

        async def listening_send(message) -> None:
            await send(message)
            if not self.said and b"event: latest_queues" in message.get("body", b""):
                self.said = True
                say(event="events_stream")

        await self.app(scope, receive, listening_send)


def build(config: dict, prefix: str):
    backend = JWTAuthBackend(
        secret=config["secret"],
        algorithms=config.get("algorithms", ["HS256"]),
        audience=config.get("audience"),
        issuer=config.get("issuer"),
        header=config.get("header", "Authorization"),
        scheme=config.get("scheme", "Bearer"),
    )
    admin = AsyncMQAdmin(
        enable_login=True,
        backend=backend,
        url_prefix=prefix,
        required_roles=tuple(config.get("required_roles", ())),
        trusted_proxies=tuple(config.get("trusted_proxies", ())),
    )
    app = Lilya()
    admin.include_in(app)
    return SaysWhenStreaming(app, prefix)


async def serve(config: dict) -> None:
    # Failing tasks are part of the seed; their tracebacks belong on the dashboard, not on this terminal.
    logging.disable(logging.CRITICAL)
    prefix = config.get("prefix", "/asyncmq").rstrip("/")
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", config.get("port", 0)))
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}{prefix}"
    if config.get("title"):
        from asyncmq.core.utils.dashboard import DashboardConfig

        DashboardConfig.header_title = config["title"]
    app = build(config, prefix)
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="error", access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    )
    kind = config.get("seed", "none")
    async with anyio.create_task_group() as group:
        if kind == "small":
            await seed.seed_small(base_url)
        elif kind == "demo":
            await seed.seed_demo(base_url)
            group.start_soon(seed.run_workers, seed.QUEUES)
            group.start_soon(seed.keep_moving)
        threading.Thread(target=end_with_stdin, args=(server,), daemon=True).start()

        async def run_server() -> None:
            await server.serve(sockets=[listener])
            group.cancel_scope.cancel()

        group.start_soon(run_server)
        while not server.started:
            await anyio.sleep(0.01)
        say(base_url=base_url)


def end_with_stdin(server: uvicorn.Server) -> None:
    """Whoever started this process holds its standard input: when they are gone, so is the admin."""
    sys.stdin.read()
    server.should_exit = True


if __name__ == "__main__":
    anyio.run(serve, json.loads(sys.stdin.readline()))
