"""How can an endpoint misbehave? Each mode is what a client meets when an address is wrong or a server is ill."""

from __future__ import annotations

import anyio
from lilya.responses import HTMLResponse, RedirectResponse, Response

from embedded.serving import ConfigurationError

HUGE_BYTES = 10 * 1024 * 1024


async def _html() -> Response:
    return HTMLResponse("<!doctype html><title>Welcome</title><h1>Welcome to the wrong address</h1>")


async def _huge() -> Response:
    return Response(b'{"access_token": "' + b"x" * HUGE_BYTES + b'"}', media_type="application/json")


async def _garbage() -> Response:
    return Response(b'{"access_token": "ey\x00\xff', media_type="application/json")


async def _empty() -> Response:
    return Response(b"{}", media_type="application/json")


async def _error() -> Response:
    return Response(b"Internal Server Error", status_code=500, media_type="text/plain")


async def _unavailable() -> Response:
    return Response(b"Service Unavailable", status_code=503, media_type="text/plain", headers={"Retry-After": "1"})


async def _redirect() -> Response:
    # 307 keeps method and body: a client that followed would hand the password to another host.
    return RedirectResponse("http://127.0.0.2:9/elsewhere", status_code=307)


async def _hang() -> Response:
    # Until the client gives up, or this server is told to end.
    await anyio.sleep_forever()
    raise AssertionError("sleeping forever ended")


MISBEHAVIOUR = {
    "html": _html,
    "huge": _huge,
    "garbage": _garbage,
    "empty": _empty,
    "error": _error,
    "unavailable": _unavailable,
    "redirect": _redirect,
    "hang": _hang,
}


def check(mode: str) -> str:
    """`well`, or the name of a misbehaviour."""
    if mode != "well" and mode not in MISBEHAVIOUR:
        raise ConfigurationError(f"the mode `{mode}` is unknown; known: well, {', '.join(MISBEHAVIOUR)}")
    return mode
