"""Reports: the long ones."""

from __future__ import annotations

import anyio
from asyncmq.tasks import task


@task(queue="reports")
async def render_quarterly(quarter: str, region: str, seconds: float = 90.0) -> dict[str, str]:
    """Renders a quarterly report; takes minutes."""
    await anyio.sleep(seconds)
    return {"report": f"{region}-{quarter}.pdf", "pages": "48"}


@task(queue="reports")
async def export_orders(day: str, seconds: float = 12.0) -> dict[str, str]:
    """Exports a day's orders."""
    await anyio.sleep(seconds)
    rows = {"2026-02-29": None}.get(day, 1834)
    return {"day": day, "rows": str(int(rows))}


@task(queue="reports")
async def nightly_summary(seconds: float = 2.0) -> dict[str, str]:
    """Yesterday in one page."""
    await anyio.sleep(seconds)
    return {"summary": "sent"}
