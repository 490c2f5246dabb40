"""What should stand in front of the admin? One JSON line from standard input, checked."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, fields
from typing import Any, get_type_hints
from urllib.parse import urlsplit

# What may stand in a value without meaning something to nginx.
VALUE = re.compile(r"[A-Za-z0-9 ._~+/=:@,-]+")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
PATH = re.compile(r"/[A-Za-z0-9/_-]*")
COOKIE = re.compile(r"[A-Za-z0-9_]+")


class ConfigurationError(ValueError):
    """The line on standard input does not describe a front that can run. Never holds a secret."""


@dataclass(frozen=True)
class Demand:
    """What an access proxy wants to see. Absent: 302 to `sign_in`. Another value: 403."""

    headers: dict = field(default_factory=dict, repr=False)
    cookies: dict = field(default_factory=dict, repr=False)
    sign_in: str = "https://team.access.example/cdn-cgi/access/login"


@dataclass(frozen=True)
class Configuration:
    """One nginx in front of `upstream`, the origin of an admin."""

    upstream: str
    tls: dict | None = None
    demand: dict | None = field(default=None, repr=False)
    inject: dict = field(default_factory=dict, repr=False)
    answers: dict = field(default_factory=dict)
    identify: str | None = None
    forwarded: bool = True
    keep_host: bool = True
    buffering: bool = False
    http2: bool = True
    host: str = "127.0.0.1"
    nginx: str | None = None
    folder: str | None = None

    @staticmethod
    def from_json(line: str) -> Configuration:
        """Reads the line; an unknown key, a wrong type or a value that cannot work is a `ConfigurationError`."""
        try:
            given: Any = json.loads(line)
        except json.JSONDecodeError as error:
            raise ConfigurationError(f"standard input holds no JSON line: {error.msg}") from None
        if not isinstance(given, dict) or "upstream" not in given:
            raise ConfigurationError("the line must be an object with at least the key `upstream`")
        _check_keys(given, Configuration)
        return Configuration(**given)._checked()

    def _checked(self) -> Configuration:
        parts = urlsplit(self.upstream)
        if parts.scheme not in ("http", "https") or parts.hostname != "127.0.0.1" or parts.path:
            raise ConfigurationError(f"`upstream` is `{self.upstream}`; give an origin such as http://127.0.0.1:8000")
        if self.host not in ("127.0.0.1", "::1"):
            raise ConfigurationError(f"`host` is `{self.host}`; this computer is 127.0.0.1 or ::1")
        if self.tls is not None:
            known = {"certificate_file", "key_file", "client_ca_file"}
            if not {"certificate_file", "key_file"} <= self.tls.keys() <= known:
                raise ConfigurationError(f"`tls` has the keys {', '.join(sorted(known))}; the last is optional")
        if self.identify is not None and "client_ca_file" not in (self.tls or {}):
            raise ConfigurationError("`identify` needs `client_ca_file` in `tls`")
        demand = self.wanted
        names = [*self.inject, *demand.headers, *([self.identify] if self.identify else [])]
        if not all(map(NAME.fullmatch, names)) or not all(map(COOKIE.fullmatch, demand.cookies)):
            raise ConfigurationError("a header's or a cookie's name has characters that names do not have")
        if not all(PATH.fullmatch(path) and status in range(200, 600) for path, status in self.answers.items()):
            raise ConfigurationError("`answers` has paths such as /asyncmq/ready, and the status of each")
        values = [*self.inject.values(), *demand.headers.values(), *demand.cookies.values(), demand.sign_in]
        if not all(isinstance(value, str) and VALUE.fullmatch(value) for value in values):
            raise ConfigurationError(f"a value has characters besides {VALUE.pattern}")
        return self

    def authority(self, port: int) -> str:
        """Where nginx listens, as addresses are written."""
        return f"[{self.host}]:{port}" if ":" in self.host else f"{self.host}:{port}"

    @property
    def wanted(self) -> Demand:
        """`demand`, or one that is always met."""
        _check_keys(self.demand or {}, Demand)
        return Demand(**(self.demand or {}))


def _check_keys(given: dict[str, Any], kind: Any) -> None:
    known = {entry.name for entry in fields(kind)}
    if unknown := sorted(given.keys() - known):
        raise ConfigurationError(f"unknown keys: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    hints = get_type_hints(kind)
    for key, value in given.items():
        if not isinstance(value, hints[key]):
            raise ConfigurationError(f"`{key}` has the wrong type: {type(value).__name__}")
