"""Custom properties: what is read is known, what only looks like it is told, and all else is left alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mesh.contract.custom_properties import READ
from mesh.contract.reading import read_contract
from tests.unit.contract_kit import FILE, contract_of, contract_text, field

ROOT = Path(__file__).parents[2]


def test_every_name_that_the_source_reads_is_in_the_table() -> None:
    source = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "mesh").rglob("*.py"))
    read = re.findall(r'custom(?:\.get\(|\[)"(\w+)"|"(\w+)" in (?:\w+\.)?custom\b', source)
    names = {name for pair in read for name in pair if name}
    assert names <= {name for known in READ.values() for name in known}


@pytest.mark.parametrize("name", ["colour", "confluent:ruleSet", "owner", "x", "ab" * 5_000, "", "émoji 🙂"])
def test_a_name_of_ones_own_is_left_alone(name: str) -> None:
    text = contract_text([field("a")], custom={name: 1})
    assert read_contract(text.encode(), FILE).findings == ()


@pytest.mark.parametrize("name", READ["schema object"][7:])
def test_what_avro_needs_of_a_record_is_no_near_miss(name: str) -> None:
    assert contract_of([field("a")], custom={name: "A"}).findings == ()


@pytest.mark.parametrize("name", ["avroAlias", "avrotype", "Precision", "retention"])
def test_a_near_miss_on_a_property_is_told(name: str) -> None:
    prop = field("a", customProperties=[{"property": name, "value": 1}])
    (finding,) = contract_of([prop]).findings
    assert finding.code == "MESH-C094"
