"""What should this admin be? One JSON line from standard input, checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import get_type_hints

from embedded import backends, serving
from embedded.serving import ConfigurationError

SEEDS = ("demo", "small", "none")


@dataclass(frozen=True)
class Configuration:
    """One admin. `secret` is the HMAC secret (at least 32 bytes), or the public key in PEM for RS256 and ES256."""

    backend: str = "jwt"
    secret: str = field(default="", repr=False)
    audience: str | None = None
    issuer: str | None = None
    algorithm: str = "HS256"
    header: str | None = None
    scheme: str = "Bearer"
    cookie: str | None = None
    leeway: int = 0
    users: list = field(default_factory=list, repr=False)
    session_seconds: int = 14 * 24 * 60 * 60
    prefix: str = "/asyncmq"
    login_path: str = "/login"
    host: str = "127.0.0.1"
    port: int = 0
    tls: dict | None = None
    title: str = "AsyncMQ"
    seed: str = "demo"
    workers: bool = True
    require_admin: bool | None = None
    required_roles: list = field(default_factory=list)
    trusted_proxies: list = field(default_factory=list)
    enforce_same_origin: bool = True

    @staticmethod
    def from_json(line: str) -> Configuration:
        """Reads the line; an unknown key, a wrong type or a value that cannot work is a `ConfigurationError`."""
        given = serving.read_line(line)
        serving.check_keys("the configuration", given, get_type_hints(Configuration))
        return Configuration(**given)._checked()

    def _checked(self) -> Configuration:
        if self.seed not in SEEDS:
            raise ConfigurationError(f"`seed` is `{self.seed}`; it must be one of {', '.join(SEEDS)}")
        if self.backend not in backends.BACKENDS:
            known = ", ".join(backends.BACKENDS)
            raise ConfigurationError(f"`backend` is `{self.backend}`; it must be one of {known}")
        if backends.BACKENDS[self.backend].reads_tokens and not self.secret:
            raise ConfigurationError(f"the backend `{self.backend}` needs the key `secret`")
        if self.prefix != "/" and (not self.prefix.startswith("/") or self.prefix.endswith("/")):
            raise ConfigurationError(f"`prefix` is `{self.prefix}`; give one such as /asyncmq, or /")
        serving.check_loopback(self.host)
        serving.check_tls(self.tls)
        return self

    @property
    def wants_admins(self) -> bool:
        """`require_admin`, or what the backend can live with when the line does not say."""
        if self.require_admin is None:
            return backends.BACKENDS[self.backend].knows_admins
        return self.require_admin

    def base_url(self, port: int) -> str:
        """The absolute address of the dashboard once it listens on `port`, without a trailing slash."""
        return f"{serving.origin(self.tls, self.host, port)}{self.prefix.rstrip('/')}"
