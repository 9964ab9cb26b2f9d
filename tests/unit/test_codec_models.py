"""Models are published as Pydantic dumps them, however their dicts are come by."""

from __future__ import annotations

import enum
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    RootModel,
    computed_field,
    field_serializer,
    model_serializer,
    model_validator,
)

from mesh.codec.models import reader_of


class Colour(enum.Enum):
    RED = "red"


class Line(BaseModel):
    sku: str
    quantity: int = 1


class LongLine(Line):
    remark: str = ""


class Order(BaseModel):
    id: str
    at: datetime
    total: Decimal
    trace: UUID | None = None
    colour: Colour = Colour.RED
    kind: Literal["a", "b"] = "a"
    count: Annotated[int, AfterValidator(lambda number: number)] = 0
    either: int | str = 0
    tags: dict[str, list[int]] = Field(default_factory=dict)
    lines: list[Line] = Field(default_factory=list)
    first: Line | None = None

    @model_validator(mode="after")
    def holds(self) -> Order:
        return self


class Computed(BaseModel):
    x: int

    @computed_field  # type: ignore[prop-decorator]
    @property
    def twice(self) -> int:
        return 2 * self.x


class Cached(BaseModel):
    x: int

    @cached_property
    def twice(self) -> int:
        return 2 * self.x


class Serialized(BaseModel):
    x: int

    @field_serializer("x")
    def shown(self, value: int) -> str:
        return str(value)


class Whole(BaseModel):
    x: int

    @model_serializer
    def shown(self) -> dict[str, Any]:
        return {"y": self.x}


class Annotation(BaseModel):
    x: Annotated[int, PlainSerializer(str)]


class Extra(BaseModel):
    model_config = ConfigDict(extra="allow")
    x: int


class ByAlias(BaseModel):
    model_config = ConfigDict(serialize_by_alias=True)
    x: int = Field(alias="y")


class Aliased(BaseModel):
    x: int = Field(alias="y")


class Excluding(BaseModel):
    x: int
    secret: str = Field("s", exclude=True)


class Listed(RootModel[list[int]]):
    pass


class Holder(BaseModel):
    root: Listed
    anything: Any = None
    choice: Line | Order | None = None


class Tree(BaseModel):
    x: int
    children: list[Tree] = Field(default_factory=list)


class OwnDump(BaseModel):
    x: int

    def model_dump(self, **options: Any) -> dict[str, Any]:  # type: ignore[override]
        return {"own": self.x}


AT = datetime(2026, 1, 2, tzinfo=UTC)
ORDER = Order(id="o", at=AT, total=Decimal("1.5"), lines=[Line(sku="a"), Line(sku="b")], first=Line(sku="c"))


def looked_at(model: Cached) -> Cached:
    assert model.twice == 2
    return model


@pytest.mark.parametrize(
    "make",
    [
        lambda: ORDER,
        lambda: Order(id="o", at=AT, total=Decimal(1), lines=[LongLine(sku="a", remark="more")]),
        lambda: Order.model_construct(id="o"),
        lambda: Order.model_construct(id="o", lines=None, first=None),
        lambda: Computed(x=1),
        lambda: looked_at(Cached(x=1)),
        lambda: Serialized(x=1),
        lambda: Whole(x=1),
        lambda: Annotation(x=1),
        lambda: Extra(x=1, y=2),  # type: ignore[call-arg]
        lambda: ByAlias(y=1),
        lambda: Aliased(y=1),
        lambda: Excluding(x=1),
        lambda: Holder(root=Listed([1]), anything=Line(sku="a"), choice=Line(sku="b")),
        lambda: Tree(x=1, children=[Tree(x=2)]),
        lambda: OwnDump(x=1),
        lambda: Listed([1]),
    ],
)
def test_a_model_is_what_pydantic_dumps(make: Callable[[], BaseModel]) -> None:
    model = make()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pydantic minds values that were never validated
        assert reader_of(type(model))(model) == model.model_dump()


def test_a_plain_model_s_fields_are_not_copied() -> None:
    line = Line(sku="a")
    assert reader_of(Line)(line) is line.__dict__
    assert type(reader_of(Order)(ORDER)["lines"][0]) is dict
