"""What should this issuer be? One JSON line from standard input, checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import get_type_hints

from embedded import serving
from embedded.serving import ConfigurationError

BODIES = ("json", "form")


@dataclass(frozen=True)
class Configuration:
    """One issuer. `secret` is the HMAC secret, or the private key in PEM for RS256 and ES256."""

    secret: str = field(repr=False)
    algorithm: str = "HS256"
    key_id: str | None = None
    audience: str | None = None
    issuer: str | None = None
    users: list = field(default_factory=list, repr=False)
    token_path: str = "/token"
    refresh_path: str = "/refresh"
    # Which bodies are understood, and what the fields in them are called.
    bodies: list = field(default_factory=lambda: list(BODIES))
    username_field: str = "username"
    password_field: str = "password"
    refresh_field: str = "refresh_token"
    required_fields: dict = field(default_factory=dict)
    # Where in the answer things are: names, or names joined by dots.
    token_at: str = "access_token"
    refresh_at: str | None = "refresh_token"
    lifetime_at: str | None = "expires_in"
    lifetime: int = 300
    refresh_lifetime: int = 3600
    rotate: bool = True
    # Seconds in which a used refresh token gives a fresh one once more, as where an answer was lost on its way.
    reuse_grace: int = 0
    mode: str = "well"
    refresh_mode: str = "well"
    host: str = "127.0.0.1"
    port: int = 0
    tls: dict | None = None

    @staticmethod
    def from_json(line: str) -> Configuration:
        """Reads the line; an unknown key, a wrong type or a value that cannot work is a `ConfigurationError`."""
        given = serving.read_line(line)
        serving.check_keys("the configuration", given, get_type_hints(Configuration))
        if not given.get("secret"):
            raise ConfigurationError("the configuration needs the key `secret`")
        configuration = Configuration(**given)
        if not configuration.bodies or set(configuration.bodies) - set(BODIES):
            raise ConfigurationError(f"`bodies` holds one or both of {', '.join(BODIES)}")
        serving.check_loopback(configuration.host)
        serving.check_tls(configuration.tls)
        return configuration
