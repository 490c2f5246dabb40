"""What keeps happening? Workers run, a gentle producer adds jobs, old ones are swept so that memory stays bounded."""

from __future__ import annotations

import random

import anyio
from asyncmq.backends.memory import InMemoryBackend

from embedded.configuration import Configuration
from embedded.queues import names, queue, run_workers

# The newest jobs that are kept of each queue, by state. The admin lists all of them every five seconds for each client.
KEPT = {"completed": 60, "failed": 40, "expired": 10, "cancelled": 10}
SWEEP_SECONDS = 20.0
LONG_JOBS = 4


async def keep_moving(configuration: Configuration, backend: InMemoryBackend) -> None:
    """Everything that happens while the admin is open, until cancelled."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run_workers, names(configuration.seed))
        tasks.start_soon(_sweep, backend)
        if configuration.seed == "demo":
            tasks.start_soon(_produce, random.Random(configuration.title))


async def _produce(chance: random.Random) -> None:
    number = 0
    while True:
        number += 1
        customer = f"customer{chance.randrange(1000)}"
        if chance.random() < 0.7:
            await queue("emails").add(
                "acme.emails.send_receipt", kwargs={"address": f"{customer}@example.com", "order": f"B-{number}"}
            )
        if chance.random() < 0.35:
            amount = f"{chance.randrange(5, 400)}.{chance.randrange(100):02}"
            await queue("billing").add(
                "acme.billing.charge", kwargs={"customer": customer, "amount": amount}, retries=1
            )
        if chance.random() < 0.5:
            for _ in range(chance.randrange(1, 4)):
                await queue("thumbnails").add(
                    "acme.thumbnails.make_thumbnail", kwargs={"picture": f"products/{chance.randrange(9999)}.png"}
                )
        if chance.random() < 0.1:
            for _ in range(chance.randrange(6, 16)):
                await queue("webhooks").add(
                    "acme.webhooks.notify_partner", kwargs={"partner": "initech", "event": "order.paid"}, retries=2
                )
        if chance.random() < 0.02:
            await queue("webhooks").add(
                "acme.webhooks.notify_partner",
                kwargs={"partner": "globex", "event": "order.paid"},
                retries=2,
                backoff=3,
            )
        if chance.random() < 0.015:
            await queue("emails").add(
                "acme.emails.send_welcome", kwargs={"address": f"{customer}@mail.test"}, retries=2, backoff=2
            )
        await _keep_long_jobs(chance)
        await anyio.sleep(1.0)


async def _keep_long_jobs(chance: random.Random) -> None:
    reports = queue("reports")
    if len(await reports.list_jobs("waiting")) + len(await reports.list_jobs("active")) < LONG_JOBS:
        region = chance.choice(("EU", "US", "APAC", "LATAM", "MEA"))
        seconds = chance.randrange(60, 240)
        await reports.add(
            "acme.reports.render_quarterly", kwargs={"quarter": "2026-Q1", "region": region, "seconds": seconds}
        )


async def _sweep(backend: InMemoryBackend) -> None:
    while True:
        await anyio.sleep(SWEEP_SECONDS)
        for name in await backend.list_queues():
            for state, kept in KEPT.items():
                jobs = sorted(await backend.list_jobs(name, state), key=lambda job: job.get("updated_at") or 0.0)
                for job in jobs[: max(0, len(jobs) - kept)]:
                    await backend.remove_job(name, str(job["id"]))
