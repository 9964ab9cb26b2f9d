"""Schemas by id, from registries of every habit; rubbish is never kept."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest

from mesh.adapters.http import Hours, Http
from mesh.adapters.registry_schemas import SchemasById
from mesh.errors import MeshError, RegistryError, UnreachableError
from tests.unit.fault_server import Fault, Time, answer, fault_server, says
from tests.unit.test_registry_client import SCHEMA, Wire


def served(body: Any) -> bytes:
    return answer(json.dumps(body).encode())


GOOD = served({"schema": SCHEMA.text})


@pytest.mark.parametrize(
    "rubbish",
    [
        answer(b"<html>", 200, "text/html"),
        answer(b'{"schema": "\\"str'),
        answer(b"", 302, "text/plain", "Location: http://127.0.0.1:9/"),
        served([]),
        served({}),
        served({"schema": 7}),
        served({"schema": None}),
        served("gone"),
        served(None),
        served({"schema": SCHEMA.text, "references": [{"name": "x"}]}),
        served({"schema": SCHEMA.text, "references": [7]}),
    ],
)
def test_f17_rubbish_is_an_outage_and_is_not_kept(rubbish: bytes) -> None:
    time = Time()
    faults: list[Fault] = says(rubbish, GOOD)
    with fault_server(faults) as server:
        http = Http(server.url, "", name="registry", hours=Hours(time.clock, time.sleep, lambda: 1.0))
        with closing(http):
            schemas = SchemasById(http)
            with pytest.raises(UnreachableError):
                schemas.schema(1)
            assert schemas.schema(1) == SCHEMA
            assert schemas.schema(1) == SCHEMA
            assert len(server.asked) == 2


class Answers(Wire):
    """Answers by path."""

    def __init__(self, found: dict[str, Any]) -> None:
        super().__init__({})
        self.found = found

    def request(self, method: str, path: str, body: object = None, *, budget: Any = None) -> tuple[int, Any]:
        self.asked.append(path)
        missing = 404, {"error_code": 40402, "message": "Version not found."}
        return (200, self.found[path]) if path in self.found else missing


def refusal(found: dict[str, Any]) -> MeshError:
    with pytest.raises(MeshError) as caught:
        SchemasById(Answers(found)).schema(1)
    return caught.value


MONEY = {
    "type": "record",
    "name": "Money",
    "namespace": "shop",
    "fields": [{"name": "cents", "type": "long"}],
}
ORDER = {
    "type": "record",
    "name": "Order",
    "namespace": "shop",
    "fields": [{"name": "price", "type": "Money"}],
}
REFERENCE = {"name": "shop.Money", "subject": "money/eur", "version": 2}
MONEY_PATH = "/subjects/money%2Feur/versions/2?deleted=true"


@pytest.mark.parametrize("kind", [{}, {"schemaType": None}, {"schemaType": "AVRO"}])
def test_a_schema_without_a_type_is_avro(kind: dict[str, Any]) -> None:
    wire = Answers({"/schemas/ids/1": {"schema": SCHEMA.text, **kind}})
    assert SchemasById(wire).schema(1) == SCHEMA


@pytest.mark.parametrize("kind", ["JSON", "PROTOBUF"])
def test_a_schema_of_another_kind_is_named(kind: str) -> None:
    error = refusal({"/schemas/ids/1": {"schema": "{}", "schemaType": kind}})
    assert (error.error_code, kind in error.what) == ("MESH-R002", True)


def test_a_schema_is_whole_with_the_types_that_it_refers_to() -> None:
    answers = {
        "/schemas/ids/1": {"schema": json.dumps(ORDER), "references": [REFERENCE]},
        MONEY_PATH: {"id": 2, "schema": json.dumps(MONEY)},
    }
    schema = SchemasById(Answers(answers)).schema(1)
    assert (schema.fullname, sorted(schema.names), schema.used) == (
        "shop.Order",
        ["shop.Money", "shop.Order"],
        frozenset(),
    )


def test_a_reference_that_is_gone_is_no_unknown_id() -> None:
    error = refusal({"/schemas/ids/1": {"schema": json.dumps(ORDER), "references": [REFERENCE]}})
    assert isinstance(error, RegistryError)
    assert (error.error_code, error.status) == ("MESH-R004", 0)


def test_references_that_go_round_in_a_circle_end() -> None:
    money = {"schema": json.dumps(MONEY), "references": [REFERENCE]}
    error = refusal({"/schemas/ids/1": money, MONEY_PATH: money})
    assert error.error_code == "MESH-R003"
