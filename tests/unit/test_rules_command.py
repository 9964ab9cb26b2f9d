"""`mesh rules`: every rule of a contract, and what each engine makes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mesh.cli.main import build
from mesh.errors import UsageError
from tests.unit.contract_kit import contract_text, field

SQL = "SELECT count(*) FROM {object}"
PROPERTIES = [
    field("code", required=True, logicalTypeOptions={"pattern": "^a;b$"}),
    field("price", "number", logicalTypeOptions={"multipleOf": 0.1}),
]


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    quality = [{"name": "asked", "type": "sql", "query": SQL, "mustBeGreaterThan": 0}]
    quality += [{"name": "elsewhere", "type": "custom", "engine": "soda", "implementation": "x"}]
    file = tmp_path / "flights.odcs.yaml"
    file.write_text(contract_text(PROPERTIES, quality=quality))
    return file


def run(*arguments: str) -> Any:
    return CliRunner().invoke(build(), ["rules", *arguments], catch_exceptions=True)


def test_every_rule_has_a_row_and_every_engine_a_column(contract: Path) -> None:
    lines = run(str(contract)).stdout.splitlines()
    assert lines[0].split() == ["rule", "guard", "CEL", "SQL", "Great", "Expectations"]
    assert [" ".join(line.split()) for line in lines[1:]] == [
        "code is required yes yes yes yes",
        "code matches ^a;b$ yes yes yes yes",
        "price is a multiple of 0.1 yes no no yes",
        "asked no no yes no",
        "elsewhere no no no no",
    ]


def test_machines_get_each_engines_text_or_the_reason(contract: Path) -> None:
    (entry,) = json.loads(run(str(contract), "--json").stdout)["contracts"]
    engines = {rule["name"]: rule["engines"] for rule in entry["rules"]}
    assert engines["code matches its pattern"]["SQL"]["text"] == (
        '"code" IS NULL OR regexp_matches("code", \'^a;b$\')'
    )
    assert "binary floats" in engines["price is a multiple"]["CEL"]["why"]
    assert engines["asked"]["SQL"]["text"] == SQL
    assert "DuckDB" in engines["asked"]["Great Expectations"]["why"]
    assert "soda" in engines["elsewhere"]["Great Expectations"]["why"]


def test_the_rule_set_holds_what_cel_can_say(contract: Path) -> None:
    found = json.loads(run(str(contract), "--rule-set").stdout)
    names = [rule["name"] for rule in found["domainRules"]]
    assert names == ["code-is-required", "code-matches-its-pattern"]
    assert all(rule["kind"] == "CONDITION" and rule["mode"] == "WRITE" for rule in found["domainRules"])
    assert not any(";" in rule["expr"] for rule in found["domainRules"])


def test_an_unknown_contract_is_a_usage_error() -> None:
    error = run("operations.departurs.v1").exception
    assert isinstance(error, UsageError)
    assert "operations.departures.v1" in str(error)
