"""Fills the backend through AsyncMQ's own API, and keeps it moving."""

import itertools
import random

import anyio
from asyncmq.queues import Queue

from .tasks import build_report, call_webhook, charge_invoice, make_thumbnail, send_email

QUEUES = {"emails": 4, "billing": 2, "reports": 2, "thumbnails": 4, "webhooks": 3}
#: More finished jobs than this are cleaned away: the demo may run for days.
MOST_FINISHED = 150


async def run_workers(queues: dict[str, int]) -> None:
    """Real workers with heartbeats, delayed jobs and repeatables, until cancelled."""
    async with anyio.create_task_group() as group:
        for name, concurrency in queues.items():
            group.start_soon(Queue(name, concurrency=concurrency).run)


async def seed_small(base_url: str) -> None:
    """The same every time: three failed e-mails, 25 waiting webhooks, one repeatable. Nothing moves by itself."""
    for number in range(3):
        await send_email.enqueue(f"user{number}@bounce.example", template="welcome")
    worker = Queue("emails", concurrency=3)
    with anyio.move_on_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(worker.run)
            while len(await worker.backend.list_jobs("emails", "failed")) < 3:
                await anyio.sleep(0.05)
            group.cancel_scope.cancel()
    for number in range(25):
        await call_webhook.enqueue(url=f"{base_url}/queues/webhooks", event=f"order.{number}")
    await _repeatables(base_url)


async def _repeatables(base_url: str) -> None:
    webhooks = Queue("webhooks")
    await webhooks.upsert_repeatable(
        task_id=call_webhook.task_id, every=3600, kwargs={"url": f"{base_url}/queues?a=1&b=2", "event": "ping"}
    )
    await Queue("reports").upsert_repeatable(
        task_id=build_report.task_id, cron="0 6 * * *", kwargs={"customer": "Acme", "minutes": 0.1}
    )


async def seed_demo(base_url: str) -> None:
    """Jobs in every state."""
    for number in range(40):
        await send_email.enqueue(f"customer{number}@acme.example", template="receipt")
    for number in range(7):
        await send_email.enqueue(f"gone{number}@bounce.example", template="newsletter")
    for number in range(12):
        await charge_invoice.enqueue(f"INV-{1000 + number}", cents=0 if number % 5 == 0 else 1990 + number)
    for number in range(4):
        await make_thumbnail.enqueue(f"/srv/pictures/{number}.jpg", width=320)
    for number, customer in enumerate(("Acme", "Globex", "Initech", "Umbrella", "Hooli", "Stark")):
        await build_report.enqueue(customer, minutes=2 + number)
    for number in range(9):
        await call_webhook.enqueue(url=f"{base_url}/queues", event="order.paid", delay=600 + 60 * number)
    await _repeatables(base_url)


async def keep_moving() -> None:
    """New work all the time, at the pace of a small shop; finished work is cleaned away."""
    for number in itertools.count():
        await send_email.enqueue(
            f"customer{number}@{'bounce' if number % 29 == 0 else 'acme'}.example", template="receipt"
        )
        if number % 3 == 0:
            await charge_invoice.enqueue(f"INV-{2000 + number}", cents=random.randint(500, 90_000))
        if number % 4 == 0:
            await call_webhook.enqueue(url="https://hooks.example/orders", event="order.paid")
        if number % 120 == 0 and number:
            await build_report.enqueue("Acme", minutes=random.uniform(1, 4))
        if number % 50 == 0:
            for name in QUEUES:
                finished = await Queue(name).backend.list_jobs(name, "completed")
                surplus = len(finished) - MOST_FINISHED
                if surplus > 0:
                    await Queue(name).clean_jobs("completed", grace=0, limit=surplus)
        await anyio.sleep(random.uniform(0.4, 1.6))
