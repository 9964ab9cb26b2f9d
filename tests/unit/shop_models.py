"""Pydantic models as a domain team writes them: what the import and `mesh model` must carry."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, NaiveDatetime


class Size(StrEnum):
    """How big."""

    S = "S"
    L = "L"


class Address(BaseModel):
    """Where to."""

    model_config = ConfigDict(extra="forbid")

    street: str = Field(min_length=1, max_length=80, description="Street and number.", examples=["Main St 1"])
    zip: Annotated[str, Field(pattern=r"^[0-9]{5}$")]
    country: Literal["DE", "FR"] = "DE"


class Order(BaseModel):
    """One order of a customer."""

    model_config = ConfigDict(extra="forbid")

    order_id: UUID = Field(description="Which order.")
    number: int = Field(ge=1, lt=10_000)
    level: Literal[1, 2, 3]
    size: Size = Size.S
    amount: Decimal = Field(max_digits=12, decimal_places=2, gt=0, description='In "euro".')
    weight: float | None = Field(default=None, multiple_of=0.5)
    rush: bool = False
    ordered_at: AwareDatetime
    local: NaiveDatetime | None = None
    seen: datetime | None = None
    day: date
    at: time | None = None
    ship_to: Address
    bill_to: Address | None = None
    lines: list[Address] = Field(min_length=1, max_length=100)
    tags: list[Annotated[str, Field(max_length=20)]] = Field(default_factory=list)
    maybe: list[int | None] | None = None
    notes: dict[str, str] = Field(default_factory=dict)
    sizes: dict[str, Size] | None = None
    blob: bytes | None = None
    either: int | str | None = None
    must: int | None
    five: int | None = 5
    email: str = Field(json_schema_extra={"format": "email"})
    story: str = Field(description="A description that is much too long for one line of source. " * 3)
