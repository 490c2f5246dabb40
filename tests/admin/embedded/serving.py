"""How does a test server start, report and end? One contract for everything that uvicorn serves here.

The configuration came as the first line of standard input; the further lines are commands; the end of it is the end.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import anyio.from_thread
import anyio.lowlevel
import uvicorn

# Open streams, and answers that were told to hang, never end by themselves: they are cut after this many seconds.
GRACE_SECONDS = 1

# Carries out a further line of standard input and answers the line that says so.
Command = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


class ConfigurationError(ValueError):
    """The line on standard input does not describe a server that can run. Never holds a secret."""


def read_line(line: str) -> dict[str, Any]:
    """The JSON object on a line of standard input."""
    try:
        given: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"standard input holds no JSON line: {error.msg}") from None
    if not isinstance(given, dict):
        raise ConfigurationError("the line on standard input must be a JSON object")
    return given


def check_keys(what: str, given: Any, kinds: dict[str, Any]) -> None:
    """An unknown key or a wrong type in `given` is a `ConfigurationError`; `kinds` has the types by key."""
    if not isinstance(given, dict):
        raise ConfigurationError(f"{what} must be an object")
    if unknown := sorted(given.keys() - kinds.keys()):
        raise ConfigurationError(f"{what} has unknown keys: {', '.join(unknown)}; known: {', '.join(sorted(kinds))}")
    for key, value in given.items():
        if not isinstance(value, kinds[key]):
            raise ConfigurationError(f"`{key}` of {what} has the wrong type: {type(value).__name__}")


def check_loopback(host: str) -> None:
    """Nothing here is for another machine."""
    if not (host == "localhost" or host == "::1" or host.startswith("127.")):
        raise ConfigurationError(f"`host` is `{host}`; this serves on loopback only")


def check_tls(tls: dict[str, Any] | None) -> None:
    """`certificate_file` and `key_file`; with `client_ca_file` a client must show a certificate of that authority."""
    if tls is None:
        return
    check_keys("`tls`", tls, {"certificate_file": str, "key_file": str, "client_ca_file": str})
    if not {"certificate_file", "key_file"} <= tls.keys():
        raise ConfigurationError("`tls` needs `certificate_file` and `key_file`")


def origin(tls: dict[str, Any] | None, host: str, port: int) -> str:
    """Where a server that listens on `port` is reached, without a trailing slash."""
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener


def say(line: dict[str, Any]) -> None:
    """One JSON line on standard output."""
    try:
        print(json.dumps(line), flush=True)
    except BrokenPipeError:
        # Whoever started this is gone; the end of standard input ends it.
        pass


class Server(uvicorn.Server):
    """Says `ready` once it accepts connections; ends with standard input."""

    def __init__(self, app: Any, tls: dict[str, Any] | None, ready: dict[str, Any]) -> None:
        secure = {}
        if tls:
            secure = {"ssl_certfile": tls["certificate_file"], "ssl_keyfile": tls["key_file"]}
            if "client_ca_file" in tls:
                secure |= {"ssl_ca_certs": tls["client_ca_file"], "ssl_cert_reqs": ssl.CERT_REQUIRED}
        super().__init__(
            uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                # AsyncMQ's own `trusted_proxies` decides about forwarded headers.
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
                **secure,
            )
        )
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            say(self._ready)

    def follow_standard_input(self, command: Command) -> None:
        """Carries out each line as `command`, on the event loop that calls this; the end of the lines is the end."""
        token = anyio.lowlevel.current_token()
        reader = threading.Thread(target=self._follow, args=(command, token), daemon=True)
        reader.start()

    def _follow(self, command: Command, token: Any) -> None:
        while line := sys.stdin.readline():
            if not line.strip():
                continue
            try:
                given = read_line(line)
                say(anyio.from_thread.run(command, given, token=token))
            except ConfigurationError as error:
                say({"event": "not_understood", "why": str(error)})
        self.should_exit = True
