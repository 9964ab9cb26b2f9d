"""Contract to Pydantic source: the same model comes back, whatever the names and texts in the contract."""

from __future__ import annotations

import re
import sys
from decimal import Decimal
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from mesh.codec import codec_for, to_batch
from mesh.contract.avro import avro_schema
from mesh.contract.model import Contract
from mesh.contract.reading import read_contract
from mesh.export.pydantic_model import class_name, model_source
from mesh.export.python_source import quoted
from mesh.imports.document import Heading
from mesh.imports.pydantic import contract_of_model
from tests.unit.contract_kit import contract_of, field
from tests.unit.shop_models import Order

ROOT = Path(__file__).parents[2]
CONTRACTS = sorted((ROOT / "contracts").rglob("*.odcs.yaml"))
HEADING = Heading(domain="shop", product="orders")
_NUMBERS = count()


def imported(model: type[BaseModel]) -> Contract:
    return read_contract(contract_of_model(model, HEADING).text.encode(), "orders")


def module_of(contract: Contract) -> ModuleType:
    """The generated source as a module; Pydantic looks annotations up in `sys.modules`."""
    module = ModuleType(f"generated_{next(_NUMBERS)}")
    sys.modules[module.__name__] = module
    try:
        exec(compile(model_source(contract), module.__name__, "exec"), module.__dict__)
    finally:
        del sys.modules[module.__name__]
    return module


def model_of(contract: Contract) -> Any:
    return getattr(module_of(contract), class_name(contract.schema_name))


def flat(tree: Any) -> Any:
    """A JSON schema with every text on one line: docstrings are laid out anew."""
    if isinstance(tree, dict):
        return {key: flat(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [flat(item) for item in tree]
    return " ".join(tree.split()) if isinstance(tree, str) else tree


def test_the_same_model_comes_back_from_its_contract() -> None:
    assert model_of(imported(Order)).model_json_schema() == Order.model_json_schema()


@pytest.mark.parametrize("file", CONTRACTS, ids=lambda file: file.name.removesuffix(".odcs.yaml"))
def test_the_model_of_an_example_contract_is_a_fixed_point(file: Path) -> None:
    model = model_of(read_contract(file.read_bytes(), str(file)))
    again = model_of(imported(model))
    assert flat(again.model_json_schema()) == flat(model.model_json_schema())


def fields_of(*properties: dict[str, Any]) -> Any:
    return model_of(contract_of(list(properties))).model_fields


EVENT = {
    "order_id": "0b1d8a54-6f1c-4a8e-9a47-0d9b8f0f6f5a",
    "number": 1,
    "level": 2,
    "size": "L",
    "amount": "9.50",
    "ordered_at": "2026-01-02T03:04:05Z",
    "day": "2026-01-02",
    "ship_to": {"street": "Main St 1", "zip": "12345"},
    "lines": [{"street": "Main St 2", "zip": "12345"}],
    "must": None,
    "email": "ada@example.org",
    "story": "once",
}
HOSTILE = [
    "class",
    "None",
    "date",
    "model_config",
    "schema",
    "json",
    "_private",
    "__class__",
    "str",
    "Field",
    "self",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_python_or_pydantic_keeps_becomes_an_alias(name: str) -> None:
    model = model_of(contract_of([field(name, "date", required=True), field("other", "date")]))
    event = model.model_validate({name: "2026-01-02"})
    assert set(event.model_dump()) == {name, "other"}


def test_a_field_named_like_a_nested_class_does_not_hide_it() -> None:
    custom = [{"property": "avroName", "value": "Place"}]
    nested = field("Place", "object", properties=[field("x")], customProperties=custom)
    assert model_of(contract_of([nested])).model_validate({"Place": {"x": "here"}})


HOSTILE_TEXTS = [
    '"""',
    "\\",
    '"',
    "'",
    "a\\nb",
    "\x00",
    "\u2028",
    "{f!r}",
    '\\"""',
    "$(rm)",
    "é\U0001f680",
    '"x',
]


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=ascii)
def test_a_text_of_the_contract_is_text_in_the_source(text: str) -> None:
    doc = [{"property": "avroTypeDoc", "value": text}]
    properties = [
        field("f", required=True, description=f"a{text}z", examples=[text], enum=[{"value": text}]),
        field(
            "o",
            "object",
            properties=[field("x")],
            customProperties=doc,
        ),
    ]
    model = model_of(contract_of(properties, description={"purpose": f"p{text}"}))
    found = model.model_fields["f"]
    assert (found.description, found.examples) == (f"a{text}z", [text])
    assert "".join(model.__doc__.split()) == "".join(f"p{text}".split())


@given(st.text())
@settings(max_examples=100, deadline=None)
def test_a_quoted_text_is_that_text(text: str) -> None:
    assert eval(quoted(text)) == text


@given(
    st.text(alphabet="ab \"\\\n'", max_size=300),
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True),
)
@settings(max_examples=25, deadline=None)
def test_any_name_and_any_words_make_a_module(words: str, name: str) -> None:
    contract = contract_of(
        [
            field(name, required=True, description=words),
            field(f"{name}_o", "object", properties=[field(name)]),
        ],
        description={"purpose": f"x{words}"},
    )
    assert model_of(contract).model_fields


@pytest.mark.parametrize(
    ("prop", "good", "bad"),
    [
        (field("f", "integer", logicalTypeOptions={"minimum": 1, "exclusiveMaximum": 9}), [1, None], [0, 9]),
        (field("f", logicalTypeOptions={"minLength": 2, "pattern": "^a"}), ["ab"], ["a", "ba"]),
        (field("f", enum=[{"value": "A"}, {"value": "B"}]), ["A"], ["C"]),
        (field("f", "date", logicalTypeOptions={"minimum": "2020-01-01"}), ["2020-01-01"], ["2019-12-31"]),
        (
            field("f", "timestamp", logicalTypeOptions={"minimum": "2020-01-01T01:00:00+01:00"}),
            ["2020-01-01T00:00:00Z"],
            ["2019-12-31T23:59:59Z", "2020-01-01T00:00:00"],
        ),
        (field("f", "time", logicalTypeOptions={"maximum": "12:00:00"}), ["12:00:00"], ["12:00:01"]),
        (
            field("f", "array", items={"logicalType": "integer", "logicalTypeOptions": {"minimum": 0}}),
            [[0, 1]],
            [[-1], [None], 3],
        ),
        (
            field("f", "map", map={"key": {"logicalType": "string"}, "value": {"logicalType": "integer"}}),
            [{"a": 1}],
            [{"a": "x"}],
        ),
        (field("f", "boolean", required=True), [True], [None, "perhaps"]),
    ],
    ids=str,
)  # fmt: skip
def test_the_model_takes_what_the_contract_allows(
    prop: dict[str, Any], good: list[Any], bad: list[Any]
) -> None:
    model = model_of(contract_of([prop]))
    for value in good:
        assert model.model_validate({"f": value})
    for value in bad:
        with pytest.raises(ValidationError):
            model.model_validate({"f": value})


def test_an_event_of_the_model_can_be_published() -> None:
    contract = imported(Order)
    event = model_of(contract).model_validate(EVENT)
    codec = codec_for(avro_schema(contract))
    (row,) = codec.decode(codec.encode(to_batch([event], codec))).to_pylist()
    assert (row["order_id"], row["size"], row["ship_to"]["zip"]) == (EVENT["order_id"], "L", "12345")
    assert row["amount"] == Decimal("9.50")


SYMBOLS = ["a", "A", "mro", "name", "None", "class", "title", "__x__", "_x", "_"]


def test_symbols_of_any_spelling_are_members() -> None:
    custom = [{"property": "avroType", "value": "enum"}, {"property": "avroDefault", "value": "A"}]
    prop = field("f", required=True, enum=[{"value": s} for s in SYMBOLS], customProperties=custom)
    model = model_of(contract_of([prop]))
    assert model.model_validate({}).f == "A"
    assert [model.model_validate({"f": symbol}).f for symbol in SYMBOLS] == SYMBOLS


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError):
        model_of(contract_of([field("f")])).model_validate({"g": 1})


def test_lines_of_the_source_are_short() -> None:
    for file in CONTRACTS:
        source = model_source(read_contract(file.read_bytes(), str(file)))
        assert max(len(line) for line in source.splitlines()) <= 88, re.findall(r".{89,}", source)
