"""What is in the admin when it opens? Everything goes through AsyncMQ's own API and its own workers."""

from __future__ import annotations

from asyncmq.backends.memory import InMemoryBackend

from embedded import releases
from embedded.configuration import Configuration
from embedded.queues import names, queue, settled, work_until

PATIENCE_SECONDS = 60
HOUR = 3600.0


async def seed(configuration: Configuration, backend: InMemoryBackend, base_url: str) -> None:
    """Fills the backend: first history, which real workers make, then what is still to be done."""
    if configuration.seed == "small":
        await _small(configuration, backend, base_url)
    elif configuration.seed == "demo":
        await _demo(backend, base_url)


async def _small(configuration: Configuration, backend: InMemoryBackend, base_url: str) -> None:
    """One queue, the same each time: 3 failed, 2 completed, 25 waiting, 2 delayed, 2 repeatables.

    With workers the queue is paused, so that the numbers stay until somebody resumes it.
    """
    emails = queue("emails")
    task = "acme.emails.send_receipt"
    for number in (1, 2, 3):
        arguments = {"address": f"customer-{number}@example.invalid", "order": f"A-{number}", "seconds": 0}
        await releases.add(emails, task, kwargs=arguments, job_id=f"receipt-{number}")
    for number in (1, 2):
        arguments = {"address": f"customer-{number}@example.com", "week": number, "seconds": 0}
        await releases.add(emails, "acme.emails.send_digest", kwargs=arguments, job_id=f"digest-{number}")
    await work_until(names("small"), lambda: settled(backend), patience_seconds=PATIENCE_SECONDS)

    if configuration.workers:
        await emails.pause()
    for number in range(1, 26):
        arguments = {"address": f"customer-{number}@example.com", "name": f"Customer {number}"}
        welcome = f"welcome-{number:02}"
        await releases.add(emails, "acme.emails.send_welcome", kwargs=arguments, retries=2, job_id=welcome)
    for number in (1, 2):
        arguments = {"address": f"customer-{number}@example.com", "week": 9}
        reminder = f"reminder-{number}"
        await releases.add(emails, "acme.emails.send_digest", kwargs=arguments, delay=12 * HOUR, job_id=reminder)
    await _pausable_repeatable(backend, "emails", "acme.emails.send_digest", 12 * HOUR, base_url)
    arguments = {"address": f"{base_url}/audit", "week": 10}
    weekly = {"task_id": "acme.emails.send_digest", "cron": "0 7 * * 1", "kwargs": arguments}
    await releases.upsert_repeatable(backend, "emails", weekly)


async def _demo(backend: InMemoryBackend, base_url: str) -> None:
    await _history()
    await work_until(names("demo"), lambda: settled(backend), patience_seconds=PATIENCE_SECONDS)
    await _backlog()
    await _repeatables(backend, base_url)


async def _history() -> None:
    """Jobs that have ended by the time the admin opens, well and badly."""
    for number in range(12):
        await queue("emails").add(
            "acme.emails.send_welcome",
            kwargs={"address": f"customer{number}@example.com", "name": f"Customer {number}", "seconds": 0.05},
        )
        await queue("billing").add(
            "acme.billing.charge",
            kwargs={"customer": f"C-{1000 + number}", "amount": f"{number * 17}.90", "seconds": 0.05},
        )
        await queue("thumbnails").add(
            "acme.thumbnails.make_thumbnail", kwargs={"picture": f"products/{number}.png", "seconds": 0.02}
        )
        await queue("webhooks").add(
            "acme.webhooks.notify_partner",
            kwargs={"partner": "initech", "event": "order.paid", "body": '{"order": "A-77"}', "seconds": 0.05},
        )
    await queue("reports").add("acme.reports.export_orders", kwargs={"day": "2026-03-01", "seconds": 0.1})

    for name in ("info", "orders", "hello"):
        await queue("emails").add(
            "acme.emails.send_welcome", kwargs={"address": f"{name}@example.invalid", "seconds": 0.05}, retries=2
        )
    await queue("billing").add(
        "acme.billing.charge", kwargs={"customer": "C-2044", "amount": "7999.00", "seconds": 0.05}, retries=1
    )
    await queue("billing").add("acme.billing.charge", kwargs={"customer": "C-2051", "amount": "12,50", "seconds": 0.05})
    await queue("reports").add("acme.reports.export_orders", kwargs={"day": "2026-02-29", "seconds": 0.05})
    await queue("thumbnails").add(
        "acme.thumbnails.make_thumbnail",
        kwargs={"picture": "products/cut-short.png", "header": "89504e470d0a1a0a0000", "seconds": 0.02},
        retries=1,
    )
    for body in ("{}", '{"order": "A-78"', "{}"):
        await queue("webhooks").add(
            "acme.webhooks.notify_partner",
            kwargs={"partner": "globex", "event": "order.paid", "body": body, "seconds": 0.05},
            retries=2,
        )
    await queue("imports").add(
        "acme.imports.import_catalogue",
        kwargs={"supplier": "Umbrella", "rows": "sku,price\nU-1,on request\n", "seconds": 0.05},
    )


async def _backlog() -> None:
    """Jobs that are waiting or scheduled; the workers take up the first of them at once."""
    await queue("imports").pause()
    for number in range(14):
        await queue("imports").add("acme.imports.import_catalogue", kwargs={"supplier": f"Supplier {number + 1}"})
    for region, seconds in (("EU", 240), ("US", 180), ("APAC", 300), ("LATAM", 150), ("MEA", 200)):
        await queue("reports").add(
            "acme.reports.render_quarterly", kwargs={"quarter": "2026-Q1", "region": region, "seconds": seconds}
        )
    for number in range(30):
        await queue("webhooks").add(
            "acme.webhooks.notify_partner", kwargs={"partner": "initech", "event": "stock.changed"}, retries=2
        )
    for number in range(6):
        await queue("emails").add(
            "acme.emails.send_digest",
            kwargs={"address": f"customer{number}@example.com", "week": 13},
            delay=(number + 1) * HOUR,
        )
    for number in range(3):
        await queue("billing").add(
            "acme.billing.issue_invoice",
            kwargs={"customer": f"C-{1000 + number}", "order": f"A-{number}"},
            delay=120.0 * (number + 1),
        )


async def _repeatables(backend: InMemoryBackend, base_url: str) -> None:
    await queue("billing").upsert_repeatable("acme.billing.reconcile_accounts", every=45, kwargs={"region": "EU"})
    await queue("reports").upsert_repeatable("acme.reports.nightly_summary", cron="30 2 * * *")
    await queue("emails").upsert_repeatable(
        "acme.emails.send_digest", cron="0 7 * * 1", kwargs={"address": "team@example.com", "week": 14}
    )
    # Shown in a `pre`: the admin's own address inside a payload must reach the operator unchanged.
    await queue("webhooks").upsert_repeatable(
        "acme.webhooks.check_endpoint", every=60, kwargs={"url": f"{base_url}/queues/webhooks?state=failed&page=2"}
    )
    await _pausable_repeatable(backend, "webhooks", "acme.webhooks.check_endpoint", 30.0, base_url)
    paused = {"task_id": "acme.imports.import_catalogue", "every": 900.0}
    await backend.upsert_repeatable("imports", paused)
    await backend.pause_repeatable("imports", paused)


async def _pausable_repeatable(backend: InMemoryBackend, name: str, task_id: str, every: float, base_url: str) -> None:
    """A repeatable whose page form holds the admin's own URL *and* can be paused from the page.

    The page posts back a few keys of the definition only (`REPEATABLE_ACTION_KEYS`), and the backend finds a
    definition by the hash of all its keys: with arguments, retries or a priority in it, as `Queue.upsert_repeatable`
    writes them, AsyncMQ 0.10.1's own Pause button finds nothing and says nothing. (Nor does it with a `%` in the key:
    Lilya 0.29 decodes form fields twice.)
    """
    key = f"{base_url}/queues/{name}/jobs?state=failed&page=2"
    await releases.upsert_repeatable(backend, name, {"task_id": task_id, "every": every, "key": key})
