"""A reader of some fields decodes, checks and depends on those only."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesh.codec import to_batch
from mesh.contract.avro import avro_schema
from mesh.contract.refinement import with_schema
from mesh.decoding import Decoder
from mesh.errors import UsageError
from mesh.event import frame_prefix
from mesh.port import OutputPort
from mesh.projection import with_fields
from tests.unit.contract_kit import contract_of
from tests.unit.contract_kit import field as prop
from tests.unit.fault_server import Time
from tests.unit.subscription_kit import Script

CODE = prop("code", required=True, primaryKey=True)
COUNT = prop("count", "integer", required=True, logicalTypeOptions={"minimum": 0})
SIZE = prop("size", "number", logicalTypeOptions={"maximum": 10})
PORT = OutputPort(contract_of([CODE, COUNT, SIZE]))


class Value:
    """A record that holds one event of a port."""

    def __init__(self, port: OutputPort, **values: Any) -> None:
        self._value = port.codec.encode(to_batch([values], port.codec), frame_prefix(1))[0]

    def value(self) -> bytes:
        return self._value

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 0

    def headers(self) -> list[tuple[str, bytes]]:
        return []

    def topic(self) -> str:
        return "t"


class Registry(Script):
    """Knows one schema."""

    def __init__(self, port: OutputPort) -> None:
        super().__init__(Time())
        self.port = port

    def schema(self, schema_id: int) -> Any:
        return self.port.schema


def decoded(reader: OutputPort, written: OutputPort, **values: Any) -> tuple[list[dict[str, Any]], int]:
    decoder = Decoder(reader, Registry(written))  # type: ignore[arg-type]
    batch, poison = decoder.decode([Value(written, **values)])  # type: ignore[list-item]
    return batch.rows(), len(poison)


def test_no_field_named_means_all() -> None:
    assert with_fields(PORT, ()) is PORT
    assert with_fields(PORT, ["size", "count", "code"]) is PORT


def test_fields_keep_the_order_of_the_contract() -> None:
    assert with_fields(PORT, ["size", "code"]).codec.arrow_schema.names == ["code", "size"]


def test_an_unknown_field_names_the_one_that_was_meant() -> None:
    with pytest.raises(UsageError, match="did you mean 'count'") as refused:
        with_fields(PORT, ["cuont"])
    assert (refused.value.error_code, refused.value.why) == ("MESH-U191", "its fields are code, count, size")


def test_one_text_is_not_a_list_of_fields() -> None:
    with pytest.raises(UsageError, match="fields are a list") as refused:
        with_fields(PORT, "code")
    assert refused.value.fix == "fields=['code']"


def test_other_fields_are_not_given_out() -> None:
    assert decoded(with_fields(PORT, ["count"]), PORT, code="a", count=3, size=1.5) == ([{"count": 3}], 0)


def test_a_rule_on_a_wanted_field_sets_aside_and_one_on_another_does_not() -> None:
    narrow = with_fields(PORT, ["count"])
    assert decoded(narrow, PORT, code="a", count=-1) == ([], 1)
    assert decoded(narrow, PORT, code="a", count=1, size=99.0) == ([{"count": 1}], 0)
    assert decoded(PORT, PORT, code="a", count=1, size=99.0) == ([], 1)


def test_a_writer_that_lost_another_field_is_read_on() -> None:
    later = OutputPort(contract_of([CODE, SIZE]))
    assert decoded(with_fields(PORT, ["code"]), later, code="a") == ([{"code": "a"}], 0)
    assert decoded(PORT, later, code="a") == ([], 1)


def test_a_type_that_another_field_defined_is_defined_where_it_is_left() -> None:
    points = ("first", "second")
    contract = contract_of(
        [CODE, *(prop(n, "object", required=True, properties=[prop("x", "integer")]) for n in points)]
    )
    tree = json.loads(avro_schema(contract).text)
    tree["fields"][2]["type"] = tree["fields"][1]["type"]["name"]
    port = OutputPort(with_schema(contract, json.dumps(tree)))
    narrow = with_fields(port, ["second"])
    assert decoded(narrow, port, code="a", first={"x": 1}, second={"x": 2}) == ([{"second": {"x": 2}}], 0)
