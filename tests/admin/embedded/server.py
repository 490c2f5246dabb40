"""How long does the admin live? From its listening socket to the end of standard input."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from typing import Any

import anyio
import uvicorn

from embedded import application, settings
from embedded.configuration import Configuration
from embedded.seed import seed
from embedded.traffic import keep_moving

# Open `/events` streams never end by themselves: they are cut after this many seconds.
GRACE_SECONDS = 1


def run(configuration: Configuration) -> None:
    """Serves until standard input closes, SIGTERM or SIGINT."""
    anyio.run(_serve, configuration, backend_options={"use_uvloop": False})


async def _serve(configuration: Configuration) -> None:
    backend = settings.install(configuration)
    listener = _listen(configuration)
    base_url = configuration.base_url(listener.getsockname()[1])
    await seed(configuration, backend, base_url)

    app = application.build(configuration, tell=lambda event: _say({"event": event}))
    server = _Server(app, base_url)
    threading.Thread(target=_end_with_standard_input, args=(server,), daemon=True).start()
    async with anyio.create_task_group() as tasks:
        if configuration.workers:
            tasks.start_soon(keep_moving, configuration, backend)
        await server.serve(sockets=[listener])
        tasks.cancel_scope.cancel()


def _listen(configuration: Configuration) -> socket.socket:
    family = socket.AF_INET6 if ":" in configuration.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((configuration.host, configuration.port))
    return listener


class _Server(uvicorn.Server):
    """Announces itself once it accepts connections."""

    def __init__(self, app: Any, base_url: str) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                # AsyncMQ's own `trusted_proxies` decides about forwarded headers.
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self._base_url = base_url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            _say({"base_url": self._base_url, "pid": os.getpid()})


def _end_with_standard_input(server: uvicorn.Server) -> None:
    while sys.stdin.readline():
        pass
    server.should_exit = True


def _say(line: dict[str, Any]) -> None:
    try:
        print(json.dumps(line), flush=True)
    except BrokenPipeError:
        # Whoever started this admin is gone; the end of standard input ends it.
        pass
