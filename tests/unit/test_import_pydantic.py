"""Pydantic to contract: types, constraints and defaults are carried; code stays behind and is named."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal

import pytest
from pydantic import (
    AfterValidator,
    AnyUrl,
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    StringConstraints,
    computed_field,
    conint,
    create_model,
    field_validator,
)

from mesh.contract.avro import avro_schema
from mesh.contract.model import Contract, Property
from mesh.contract.reading import read_contract
from mesh.errors import DeclarationError, UsageError
from mesh.imports.document import Heading, as_slug
from mesh.imports.pydantic import contract_of_model
from tests.unit.shop_models import Order

HEADING = Heading(domain="shop", product="orders")


def contract(model: type[BaseModel], heading: Heading = HEADING) -> Contract:
    return read_contract(contract_of_model(model, heading).text.encode(), "orders")


def prop(annotation: Any, default: Any = ...) -> Property:
    model = create_model("Order", f=(annotation, default))
    return contract(model).properties[0]


def notes(model: type[BaseModel]) -> list[str]:
    return [f"{f.where}: {f.message}" for f in contract_of_model(model, HEADING).findings]


class Colour(Enum):
    RED = "red"
    DARK_RED = "dark red"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


@pytest.mark.parametrize(
    ("annotation", "logical_type", "options"),
    [
        (str, "string", {}),
        (int, "integer", {}),
        (float, "number", {}),
        (bool, "boolean", {}),
        (date, "date", {}),
        (datetime, "timestamp", {}),
        (IPv4Address, "string", {"format": "ipv4"}),
        (AnyUrl, "string", {"format": "uri"}),
        (PositiveInt, "integer", {"exclusiveMinimum": 0}),
        (conint(multiple_of=3, le=9), "integer", {"multipleOf": 3, "maximum": 9}),
        (Annotated[str, StringConstraints(min_length=2)], "string", {"minLength": 2}),
        (Annotated[str, StringConstraints(pattern="^a")], "string", {"pattern": "^a"}),
        (Annotated[float, Field(gt=0.5)], "number", {"exclusiveMinimum": 0.5}),
        (Annotated[date, Field(ge=date(2020, 1, 2))], "date", {"minimum": "2020-01-02"}),
        (
            Annotated[datetime, Field(ge=datetime(2020, 1, 2, tzinfo=UTC))],
            "timestamp",
            {"minimum": "2020-01-02T00:00:00Z"},
        ),
        (set[int], "array", {"uniqueItems": True}),
        (tuple[int, ...], "array", {}),
        (Annotated[list[int], Field(min_length=1, max_length=3)], "array", {"minItems": 1, "maxItems": 3}),
        (dict[str, int], "map", {}),
        (Level, "integer", {}),
    ],
    ids=str,
)  # fmt: skip
def test_each_python_type_has_its_logical_type(annotation: Any, logical_type: str, options: Any) -> None:
    made = prop(annotation)
    assert (made.logical_type, dict(made.options), made.required) == (logical_type, options, True)


def test_a_decimal_keeps_its_digits() -> None:
    made = prop(Annotated[Decimal, Field(max_digits=9, decimal_places=2, ge=Decimal("0.5"))])
    assert (made.custom, made.options) == ({"precision": 9, "scale": 2}, {"minimum": 0.5})


def test_none_makes_a_property_optional_and_its_constraints_stay() -> None:
    made = prop(Annotated[str, Field(max_length=3)] | None, None)
    assert (made.required, made.options) == (False, {"maxLength": 3})


def test_a_field_that_must_be_given_though_it_may_be_none_has_no_default() -> None:
    assert prop(int | None).custom == {"avroNoDefault": True}


@pytest.mark.parametrize(("annotation", "default"), [(int, 5), (str, "x"), (bool, False), (int | None, 5)])
def test_a_default_is_carried(annotation: Any, default: Any) -> None:
    assert prop(annotation, default).custom == {"avroDefault": default}


def test_an_enum_of_names_becomes_an_avro_enum_with_the_name_of_its_class() -> None:
    size = contract(Order).property("size")
    assert size is not None
    assert size.enum == ("S", "L")
    assert size.custom["avroType"] == "enum"
    assert size.custom["avroName"] == "Size"


def test_an_enum_of_other_texts_becomes_a_rule_and_that_is_said() -> None:
    assert prop(Colour).enum == ("red", "dark red")
    assert notes(create_model("M", f=(Colour, ...))) == [
        "M.f: not carried: the class Colour; its values become a rule"
    ]


def test_a_class_that_is_used_twice_is_one_avro_type() -> None:
    assert avro_schema(contract(Order)).text.count('"name":"Address"') == 1


def test_two_classes_of_one_name_do_not_become_one() -> None:
    def inner(kind: Any) -> type[BaseModel]:
        return create_model("Inner", x=(kind, ...))

    made = create_model("M", a=(inner(int), ...), b=(inner(str), ...))
    assert "the name of the class Inner" in notes(made)[0]
    assert avro_schema(contract(made))


def test_words_and_examples_are_carried() -> None:
    model = create_model("M", f=(int, Field(description="How many.", examples=[2, 3])), __doc__="Things.")
    made = contract(model)
    assert made.purpose == "Things."
    assert (made.properties[0].description, made.properties[0].examples) == ("How many.", (2, 3))


def test_the_key_is_named_by_the_one_who_imports() -> None:
    made = contract(Order, Heading(domain="shop", product="orders", key=("number", "day")))
    assert made.key == ("number", "day")


def test_a_key_that_is_no_field_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        contract(Order, Heading(domain="shop", product="orders", key=("no",)))
    assert caught.value.error_code == "MESH-U117"


class WithCode(BaseModel):
    model_config = ConfigDict(extra="allow")
    made: datetime = Field(default_factory=lambda: datetime.now(UTC))
    checked: Annotated[str, AfterValidator(str.strip)] = Field(alias="c", title="Checked")
    money: Decimal = Decimal(1)

    @field_validator("checked")
    @classmethod
    def no_spaces(cls, value: str) -> str:
        return value

    @computed_field  # type: ignore[prop-decorator]
    @property
    def double(self) -> int:
        return 2


def test_code_stays_behind_and_is_named() -> None:
    assert notes(WithCode) == [
        "WithCode.no_spaces: not carried: a validator, which is code",
        "WithCode.double: not carried: a computed field, which is code",
        "WithCode: not carried: further fields, which the model allows",
        "WithCode.made: not carried: a default that is computed; the field is required",
        "WithCode.checked: not carried: AfterValidator, which is code",
        "WithCode.checked: not carried: alias 'c'",
        "WithCode.checked: not carried: title 'Checked'",
        "WithCode.money: not carried: a Decimal without max_digits and decimal_places; it becomes a double",
        "WithCode.money: not carried: a default of type Decimal; the field is required",
    ]


class Node(BaseModel):
    children: list[Node]


@pytest.mark.parametrize(
    "annotation",
    [
        Any,
        timedelta,
        object,
        dict[int, str],
        tuple[int, str],
        list,
        Literal["a", 1],
        int | date,
        Node,
        complex,
    ],
    ids=str,
)
def test_a_type_that_no_event_has_is_refused_with_its_place(annotation: Any) -> None:
    with pytest.raises(DeclarationError) as caught:
        contract_of_model(create_model("M", f=(annotation, ...), g=(str, ...)), HEADING)
    assert caught.value.error_code == "MESH-C108"
    assert str(caught.value.where).startswith("M.f")
    assert len(caught.value.findings) == 1


def test_a_union_of_plain_types_is_avros() -> None:
    assert prop(int | str | None, None).custom == {"avroType": ["null", "long", "string"]}


@pytest.mark.parametrize(
    ("text", "slug"), [("RouteDelays", "route-delays"), ("route_delays", "route-delays"), ("Order", "order")]
)
def test_a_product_is_named_after_the_class(text: str, slug: str) -> None:
    assert as_slug(text) == slug
