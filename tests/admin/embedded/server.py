"""How long does the admin live? From its listening socket to the end of standard input."""

from __future__ import annotations

import os
from typing import Any

import anyio

from embedded import application, releases, settings
from embedded.accounts import Accounts
from embedded.configuration import Configuration
from embedded.seed import seed
from embedded.serving import ConfigurationError, Server, listen, say
from embedded.traffic import keep_moving


def run(configuration: Configuration) -> None:
    """Serves until standard input closes, SIGTERM or SIGINT."""
    anyio.run(_serve, configuration, Accounts(configuration.users), backend_options={"use_uvloop": False})


async def _serve(configuration: Configuration, accounts: Accounts) -> None:
    backend = settings.install(configuration)
    listener = listen(configuration.host, configuration.port)
    base_url = configuration.base_url(listener.getsockname()[1])
    await seed(configuration, backend, base_url)

    admin = await application.build(configuration, accounts, tell=lambda event: say({"event": event}))
    server = Server(admin.asgi, configuration.tls, {"base_url": base_url, "pid": os.getpid(), "asyncmq": releases.VERSION})

    async def command(given: dict[str, Any]) -> dict[str, Any]:
        if given.keys() != {"user"} or not isinstance(given["user"], dict):
            raise ConfigurationError('the one command is {"user": {"id": …, …}}')
        account = accounts.change(given["user"])
        await admin.account_changed(account)
        return {"event": "user_changed", "id": account.id}

    server.follow_standard_input(command)
    async with anyio.create_task_group() as tasks:
        if configuration.workers:
            tasks.start_soon(keep_moving, configuration, backend)
        await server.serve(sockets=[listener])
        tasks.cancel_scope.cancel()
