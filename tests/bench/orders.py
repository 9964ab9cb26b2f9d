"""The workload of every figure of the data plane: nested orders, about 64 bytes of Avro each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel

from tests.bench.measuring import left_alone

EVENTS = 200_000
PARTITIONS = 4
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


class Line(BaseModel):
    """One article of an order."""

    sku: str
    quantity: int


class Order(BaseModel):
    """An order, as a program would type it."""

    order_id: str
    customer: str
    amount: float
    currency: Literal["EUR", "USD", "GBP"]
    placed_at: datetime
    note: str | None
    priority: int
    items: list[Line]


def orders(count: int = EVENTS) -> list[dict[str, Any]]:
    """Eight fields: an enum, a timestamp, a nullable, a list of two records."""
    found: list[dict[str, Any]] = [
        {
            "order_id": f"o-{n:07d}",
            "customer": f"c-{n % 997}",
            "amount": (n % 90_000) / 100,
            "currency": ("EUR", "USD", "GBP")[n % 3],
            "placed_at": BEGAN + timedelta(milliseconds=n),
            "note": None if n % 4 else "leave at the door",
            "priority": n % 10,
            "items": [{"sku": f"s-{n % 311}", "quantity": 1}, {"sku": f"s-{n % 173}", "quantity": n % 5}],
        }
        for n in range(count)
    ]
    left_alone()
    return found
