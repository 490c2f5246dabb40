"""How long does the issuer live? From its listening socket to the end of standard input."""

from __future__ import annotations

import os
from typing import Any

import anyio

from embedded.accounts import Accounts
from embedded.serving import ConfigurationError, Server, listen, origin
from issuing import modes
from issuing.application import Issuer
from issuing.configuration import Configuration
from issuing.tokens import Tokens


def run(configuration: Configuration) -> None:
    """Serves until standard input closes, SIGTERM or SIGINT."""
    anyio.run(_serve, configuration, Accounts(configuration.users), backend_options={"use_uvloop": False})


async def _serve(configuration: Configuration, accounts: Accounts) -> None:
    issuer = Issuer(configuration, Tokens(configuration, accounts))
    listener = listen(configuration.host, configuration.port)
    base = origin(configuration.tls, configuration.host, listener.getsockname()[1])
    ready = {
        "token_url": base + configuration.token_path,
        "refresh_url": base + configuration.refresh_path,
        "pid": os.getpid(),
    }
    server = Server(issuer.application(), configuration.tls, ready)

    async def command(given: dict[str, Any]) -> dict[str, Any]:
        if given.keys() == {"user"} and isinstance(given["user"], dict):
            return {"event": "user_changed", "id": accounts.change(given["user"]).id}
        if given and given.keys() <= {"mode", "refresh_mode"}:
            issuer.mode = modes.check(given.get("mode", issuer.mode))
            issuer.refresh_mode = modes.check(given.get("refresh_mode", issuer.refresh_mode))
            return {"event": "mode_changed", "mode": issuer.mode, "refresh_mode": issuer.refresh_mode}
        raise ConfigurationError('the commands are {"user": {"id": …, …}} and {"mode": …, "refresh_mode": …}')

    server.follow_standard_input(command)
    await server.serve(sockets=[listener])
