"""E-mails to customers."""

from __future__ import annotations

import anyio
from asyncmq.tasks import task

UNREACHABLE = ("example.invalid", "mail.test")


class MailboxUnavailable(Exception):
    """The receiving server refused the message (RFC 5321, reply 550)."""


@task(queue="emails", retries=2)
async def send_welcome(address: str, name: str = "", seconds: float = 0.4) -> dict[str, str]:
    """Greets a new customer."""
    return await _deliver(address, f"Welcome to Acme, {name or address}", seconds)


@task(queue="emails")
async def send_receipt(address: str, order: str, seconds: float = 0.3) -> dict[str, str]:
    """Confirms an order."""
    return await _deliver(address, f"Your order {order}", seconds)


@task(queue="emails")
async def send_digest(address: str, week: int, seconds: float = 0.6) -> dict[str, str]:
    """The weekly digest."""
    return await _deliver(address, f"Acme, week {week}", seconds)


async def _deliver(address: str, subject: str, seconds: float) -> dict[str, str]:
    await anyio.sleep(seconds)
    local, _, domain = address.partition("@")
    if domain in UNREACHABLE:
        raise MailboxUnavailable(f"550 5.1.1 <{local}@{domain}>: recipient address rejected")
    return {"to": address, "subject": subject, "reply": "250 2.0.0 OK"}
