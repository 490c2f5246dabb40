"""What do the token endpoint and the refresh endpoint answer?"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from lilya.apps import Lilya
from lilya.requests import Request
from lilya.responses import JSONResponse, Response
from lilya.routing import Path

from embedded.serving import say
from issuing import modes
from issuing.configuration import Configuration
from issuing.tokens import Issued, Refused, Tokens

MEDIA_TYPES = {"application/json": "json", "application/x-www-form-urlencoded": "form"}


class Issuer:
    """Both endpoints, and how they behave at the moment."""

    def __init__(self, configuration: Configuration, tokens: Tokens) -> None:
        self._configuration = configuration
        self._tokens = tokens
        self.mode = modes.check(configuration.mode)
        self.refresh_mode = modes.check(configuration.refresh_mode)

    def application(self) -> Any:
        """The ASGI application."""
        return Lilya(
            routes=[
                Path(self._configuration.token_path, self._token, methods=["POST"]),
                Path(self._configuration.refresh_path, self._refresh, methods=["POST"]),
            ]
        )

    async def _token(self, request: Request) -> Response:
        names = (self._configuration.username_field, self._configuration.password_field)
        return await self._serve("password", self.mode, request, names, self._tokens.for_password)

    async def _refresh(self, request: Request) -> Response:
        names = (self._configuration.refresh_field,)
        return await self._serve("refresh", self.refresh_mode, request, names, self._tokens.for_refresh_token)

    async def _serve(
        self,
        grant: str,
        mode: str,
        request: Request,
        names: tuple[str, ...],
        make: Callable[..., Issued],
    ) -> Response:
        body = MEDIA_TYPES.get((request.headers.get("content-type") or "").partition(";")[0].strip().lower())
        say({"event": "asked", "grant": grant, "body": body})
        if mode != "well":
            return await modes.MISBEHAVIOUR[mode]()
        if body not in self._configuration.bodies:
            return _problem(415, f"send one of: {', '.join(self._configuration.bodies)}")
        fields = _fields(body, await request.body())
        if fields is None:
            return _problem(400, "the body cannot be read")
        required = self._configuration.required_fields if grant == "password" else {}
        missing = [name for name in (*names, *required) if name not in fields]
        wrong = [name for name, value in required.items() if fields.get(name) != value]
        if missing or wrong:
            return _problem(422, f"missing or wrong: {', '.join(sorted({*missing, *wrong}))}")
        try:
            issued = make(*(str(fields[name]) for name in names))
        except Refused as refused:
            say({"event": "refused", "grant": grant, "why": str(refused)})
            return _problem(401, "wrong user name or password" if grant == "password" else "sign in again")
        told = {"user": issued.account.id, "expires_at": issued.expires_at, "again": issued.again}
        say({"event": "issued", "grant": grant, **told})
        return JSONResponse(issued.answer, headers={"Cache-Control": "no-store"})


def _fields(body: str, content: bytes) -> dict[str, Any] | None:
    try:
        if body == "form":
            return dict(parse_qsl(content.decode(), keep_blank_values=True, strict_parsing=bool(content)))
        given = json.loads(content)
    except ValueError:
        return None
    return given if isinstance(given, dict) else None


def _problem(status: int, detail: str) -> Response:
    return JSONResponse({"detail": detail}, status_code=status)
