"""What should this admin be? One JSON line from standard input, checked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import Any, get_type_hints

SEEDS = ("demo", "small", "none")


class ConfigurationError(ValueError):
    """The line on standard input does not describe an admin. Never holds the secret."""


@dataclass(frozen=True)
class Configuration:
    """One admin. `secret` is the HMAC secret (at least 32 bytes), or the public key in PEM for RS256 and ES256."""

    secret: str = field(repr=False)
    audience: str | None = None
    issuer: str | None = None
    algorithm: str = "HS256"
    header: str = "Authorization"
    scheme: str = "Bearer"
    leeway: int = 0
    prefix: str = "/asyncmq"
    login_path: str = "/login"
    host: str = "127.0.0.1"
    port: int = 0
    title: str = "AsyncMQ"
    seed: str = "demo"
    workers: bool = True
    open: bool = False
    require_admin: bool = True
    required_roles: list = field(default_factory=list)
    trusted_proxies: list = field(default_factory=list)
    enforce_same_origin: bool = True

    @staticmethod
    def from_json(line: str) -> Configuration:
        """Reads the line; an unknown key, a wrong type or a value that cannot work is a `ConfigurationError`."""
        try:
            given: Any = json.loads(line)
        except json.JSONDecodeError as error:
            raise ConfigurationError(f"standard input holds no JSON line: {error.msg}") from None
        if not isinstance(given, dict) or "secret" not in given:
            raise ConfigurationError("the line must be an object with at least the key `secret`")
        known = {entry.name for entry in fields(Configuration)}
        if unknown := sorted(given.keys() - known):
            raise ConfigurationError(f"unknown keys: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
        hints = get_type_hints(Configuration)
        for key, value in given.items():
            if not isinstance(value, hints[key]):
                raise ConfigurationError(f"`{key}` has the wrong type: {type(value).__name__}")
        return Configuration(**given)._checked()

    def _checked(self) -> Configuration:
        if self.seed not in SEEDS:
            raise ConfigurationError(f"`seed` is `{self.seed}`; it must be one of {', '.join(SEEDS)}")
        if self.prefix != "/" and (not self.prefix.startswith("/") or self.prefix.endswith("/")):
            raise ConfigurationError(f"`prefix` is `{self.prefix}`; give one such as /asyncmq, or /")
        if not (self.host == "localhost" or self.host == "::1" or self.host.startswith("127.")):
            raise ConfigurationError(f"`host` is `{self.host}`; this admin serves on loopback only")
        return self

    def base_url(self, port: int) -> str:
        """The absolute address of the dashboard once it listens on `port`, without a trailing slash."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{port}{self.prefix.rstrip('/')}"
