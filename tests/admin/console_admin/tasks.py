"""Tasks that do what an operator sees all day: most work, some are slow, some fail with real tracebacks."""

import random

import anyio
from asyncmq.tasks import task


class DeliveryError(RuntimeError):
    """The mail server said no."""


@task(queue="emails", retries=0)
async def send_email(recipient: str, template: str) -> str:
    await anyio.sleep(random.uniform(0.05, 0.4))
    if recipient.endswith("@bounce.example"):
        raise DeliveryError(f"550 5.1.1 mailbox of {recipient} is unavailable")
    return f"250 {template} queued for {recipient}"


@task(queue="billing", retries=0)
async def charge_invoice(invoice: str, cents: int) -> dict[str, int]:
    await anyio.sleep(random.uniform(0.1, 0.8))
    lines = {"net": cents, "tax": cents // 5}
    if cents <= 0:
        raise ValueError(f"invoice {invoice} has nothing to charge")
    return lines


@task(queue="reports")
async def build_report(customer: str, minutes: float) -> str:
    await anyio.sleep(minutes * 60)
    return f"report of {customer}"


@task(queue="thumbnails", retries=0)
async def make_thumbnail(path: str, width: int) -> str:
    await anyio.sleep(random.uniform(0.02, 0.2))
    with open(path, "rb") as picture:
        picture.read(16)
    return f"{path}@{width}"


@task(queue="webhooks")
async def call_webhook(url: str, event: str) -> int:
    await anyio.sleep(random.uniform(0.05, 0.3))
    return 202


TASKS = {function.task_id.rsplit(".", 1)[-1]: function for function in (
    send_email, charge_invoice, build_report, make_thumbnail, call_webhook
)}
