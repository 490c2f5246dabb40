"""Invoices and payments."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import anyio
from asyncmq.tasks import task


class PaymentDeclined(Exception):
    """The card's issuer said no."""


@task(queue="billing", retries=1)
async def charge(customer: str, amount: str, currency: str = "EUR", seconds: float = 0.8) -> dict[str, str]:
    """Charges a customer's card."""
    await anyio.sleep(seconds)
    try:
        total = Decimal(amount).quantize(Decimal("0.01"))
    except InvalidOperation as error:
        raise ValueError(f"invoice of {customer}: `{amount}` is not an amount") from error
    if total > 5000:
        raise PaymentDeclined(f"card of {customer} declined: limit exceeded ({total} {currency})")
    return {"customer": customer, "charged": f"{total} {currency}"}


@task(queue="billing")
async def issue_invoice(customer: str, order: str, seconds: float = 0.5) -> dict[str, str]:
    """Writes an invoice."""
    await anyio.sleep(seconds)
    return {"customer": customer, "invoice": f"INV-{order}"}


@task(queue="billing")
async def reconcile_accounts(region: str = "EU", seconds: float = 3.0) -> dict[str, str]:
    """Compares the ledger with the bank's statement."""
    await anyio.sleep(seconds)
    return {"region": region, "difference": "0.00"}
