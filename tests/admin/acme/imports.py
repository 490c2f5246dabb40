"""Imports from suppliers; the queue is paused in the demo, as if someone were looking into it."""

from __future__ import annotations

import csv
import io

import anyio
from asyncmq.tasks import task


@task(queue="imports")
async def import_catalogue(supplier: str, rows: str = "sku,price\n", seconds: float = 1.0) -> dict[str, object]:
    """Reads a supplier's price list."""
    await anyio.sleep(seconds)
    prices = [float(row["price"]) for row in csv.DictReader(io.StringIO(rows))]
    return {"supplier": supplier, "prices": len(prices)}
