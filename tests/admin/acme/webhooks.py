"""Notifications to partners."""

from __future__ import annotations

import json

import anyio
from asyncmq.tasks import task


class PartnerUnavailable(ConnectionError):
    """The partner's endpoint did not take the notification."""


@task(queue="webhooks", retries=2)
async def notify_partner(partner: str, event: str, body: str = "{}", seconds: float = 1.2) -> dict[str, object]:
    """Posts an event to a partner."""
    await anyio.sleep(seconds)
    payload = json.loads(body)
    if partner == "globex":
        try:
            _connect(partner)
        except TimeoutError as error:
            raise PartnerUnavailable(f"POST https://hooks.{partner}.example/events: no answer within 10 s") from error
    return {"partner": partner, "event": event, "status": 204, "fields": len(payload)}


@task(queue="webhooks")
async def check_endpoint(url: str = "", seconds: float = 0.4) -> dict[str, object]:
    """Sees whether an address still answers. Nothing is sent anywhere: this is a demo."""
    await anyio.sleep(seconds)
    return {"url": url, "status": 200}


def _connect(partner: str) -> None:
    raise TimeoutError(f"hooks.{partner}.example:443 timed out")
