"""The example mesh's contracts and products: valid, described, and consistent with each other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft201909Validator

ROOT = Path(__file__).parents[2]
STANDARDS = ROOT / "mesh" / "contract" / "standards"
CONTRACT_IDS = (
    "fleet.aircraft.v1",
    "network.airports.v1",
    "network.carriers.v1",
    "operations.cancellations.v1",
    "operations.departures.v1",
    "punctuality.delay-causes.v1",
    "punctuality.route-delays.v1",
    "weather.observations.v1",
)
DERIVED = ("punctuality.delay-causes", "punctuality.route-delays")
SOURCE_ALIGNED = tuple(i.removesuffix(".v1") for i in CONTRACT_IDS if not i.startswith("punctuality."))
PRODUCT_IDS = tuple(sorted(DERIVED + SOURCE_ALIGNED))


class _TextDates(yaml.SafeLoader):
    """YAML whose dates stay text, as the standards' schemas demand."""


_TextDates.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def contract_path(contract_id: str) -> Path:
    domain, rest = contract_id.split(".", 1)
    return ROOT / "contracts" / domain / f"{rest}.odcs.yaml"


def product_path(product_id: str) -> Path:
    domain, name = product_id.split(".", 1)
    return ROOT / "domains" / domain / f"{name}.odps.yaml"


@cache
def load(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), _TextDates)
    return document


def contract(contract_id: str) -> dict[str, Any]:
    return load(contract_path(contract_id))


def product(product_id: str) -> dict[str, Any]:
    return load(product_path(product_id))


def properties(contract_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = contract(contract_id)["schema"][0]["properties"]
    return found


def quality_rules(contract_id: str) -> Iterator[tuple[str | None, dict[str, Any]]]:
    """Each quality rule with the name of its property, or None when it is on the whole schema object."""
    for rule in contract(contract_id)["schema"][0]["quality"]:
        yield None, rule
    for prop in properties(contract_id):
        for rule in prop.get("quality", []):
            yield prop["name"], rule


def custom(element: dict[str, Any]) -> dict[str, Any]:
    return {entry["property"]: entry["value"] for entry in element.get("customProperties", [])}


def is_record_rule(rule: dict[str, Any]) -> bool:
    """Whether the rule is enforced on each event; all others are checks of windows."""
    return rule.get("metric") == "invalidValues" and rule.get("mustBe") == 0 and rule["severity"] == "error"


def _problems(document: dict[str, Any], standard: str) -> list[str]:
    schema = json.loads((STANDARDS / standard).read_text(encoding="utf-8"))
    errors = Draft201909Validator(schema).iter_errors(document)
    return [f"{list(error.absolute_path)}: {error.message}" for error in errors]


def _ids(node: Any, place: str = "") -> Iterator[tuple[str, list[str]]]:
    """The ids of every list in a document."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _ids(value, f"{place}/{key}")
    elif isinstance(node, list):
        yield place, [item["id"] for item in node if isinstance(item, dict) and "id" in item]
        for index, item in enumerate(node):
            yield from _ids(item, f"{place}/{index}")


def test_the_contracts_are_the_eight_of_the_example() -> None:
    files = (ROOT / "contracts").rglob("*.odcs.yaml")

    assert sorted(load(path)["id"] for path in files) == list(CONTRACT_IDS)


def test_the_products_are_the_eight_of_the_example() -> None:
    files = (ROOT / "domains").rglob("*.odps.yaml")

    assert sorted(load(path)["id"] for path in files) == list(PRODUCT_IDS)


@pytest.mark.parametrize("contract_id", CONTRACT_IDS)
def test_a_contract_holds_to_its_standard(contract_id: str) -> None:
    assert _problems(contract(contract_id), "odcs-v3.2.0.json") == []


@pytest.mark.parametrize("product_id", PRODUCT_IDS)
def test_a_product_holds_to_its_standard(product_id: str) -> None:
    assert _problems(product(product_id), "odps-v1.1.0.json") == []


def test_the_validator_refuses_what_the_standard_does_not_know() -> None:
    broken = {**contract("network.carriers.v1"), "topic": "network.carriers.v1"}

    assert _problems(broken, "odcs-v3.2.0.json") != []


@pytest.mark.parametrize("contract_id", CONTRACT_IDS)
def test_contract_id_file_domain_and_topic_are_one_name(contract_id: str) -> None:
    document = contract(contract_id)

    assert document["id"] == document["schema"][0]["physicalName"] == contract_id
    assert document["domain"] == contract_id.split(".")[0]


@pytest.mark.parametrize("contract_id", CONTRACT_IDS)
def test_every_property_and_rule_is_described(contract_id: str) -> None:
    rules = [rule for _, rule in quality_rules(contract_id)]
    silent = [
        item["id"] for item in (*properties(contract_id), *rules) if len(item.get("description", "")) < 10
    ]

    assert silent == []


@pytest.mark.parametrize("contract_id", CONTRACT_IDS)
def test_every_property_is_classified_tagged_and_exemplified(contract_id: str) -> None:
    bare = [
        p["name"] for p in properties(contract_id) if not {"classification", "tags", "examples"} <= p.keys()
    ]

    assert bare == []


@pytest.mark.parametrize("contract_id", CONTRACT_IDS)
def test_tail_numbers_and_makers_are_internal_and_all_else_is_public(contract_id: str) -> None:
    internal = {p["name"] for p in properties(contract_id) if p["classification"] != "public"}

    assert internal == {p["name"] for p in properties(contract_id)} & {"tail_number", "manufacturer"}


@pytest.mark.parametrize("contract_id", CONTRACT_IDS)
def test_every_rule_says_what_it_costs_when_it_fails(contract_id: str) -> None:
    facts = {"id", "name", "severity", "dimension", "businessImpact", "description"}

    assert [rule["id"] for _, rule in quality_rules(contract_id) if not facts <= rule.keys()] == []


@pytest.mark.parametrize("contract_id", CONTRACT_IDS)
def test_examples_are_of_the_type_of_their_property(contract_id: str) -> None:
    kinds: dict[str, Any] = {"string": str, "timestamp": str, "integer": int, "number": (int, float)}
    wrong = [
        (p["name"], example)
        for p in properties(contract_id)
        for example in p["examples"]
        if not isinstance(example, kinds[p["logicalType"]])
    ]

    assert wrong == []


@pytest.mark.parametrize(
    "path", [*map(contract_path, CONTRACT_IDS), *map(product_path, PRODUCT_IDS)], ids=str
)
def test_ids_are_stable_and_unique_in_their_list(path: Path) -> None:
    for place, ids in _ids({key: value for key, value in load(path).items() if key != "id"}):
        stable = re.compile(r"[^\s.#/\\@!%&^]+\Z")
        if not place.endswith("/inputContracts"):
            assert all(stable.match(text) for text in ids), place
        assert len(ids) == len(set(ids)), place


@pytest.mark.parametrize("contract_id", CONTRACT_IDS)
def test_every_relationship_points_at_a_property_that_exists(contract_id: str) -> None:
    here = contract_path(contract_id)
    for prop in properties(contract_id):
        for relationship in prop.get("relationships", []):
            file, _, pointer = relationship["to"].partition("#/schema/")
            schema_id, _, property_id = pointer.partition("/properties/")
            target = load((here.parent / file).resolve())["schema"][0]
            assert target["id"] == schema_id
            assert property_id in [p["id"] for p in target["properties"]]


@pytest.mark.parametrize("contract_id", CONTRACT_IDS)
def test_the_key_is_required_and_ordered(contract_id: str) -> None:
    key = [p for p in properties(contract_id) if p.get("primaryKey")]

    assert [p["primaryKeyPosition"] for p in key] == list(range(1, len(key) + 1))
    assert all(p["required"] for p in key)


@pytest.mark.parametrize("contract_id", CONTRACT_IDS)
def test_the_event_time_is_a_required_timestamp(contract_id: str) -> None:
    name = custom(contract(contract_id)["schema"][0]).get("eventTime")
    instants = [
        p["name"] for p in properties(contract_id) if p["logicalType"] == "timestamp" and p["required"]
    ]

    assert name in instants if instants else name is None


@pytest.mark.parametrize("contract_id", CONTRACT_IDS)
def test_compacted_topics_are_kept_for_ever_and_others_for_400_days(contract_id: str) -> None:
    settings = custom(contract(contract_id)["schema"][0])
    agreed = {level["property"]: level["value"] for level in contract(contract_id)["slaProperties"]}

    kept = (settings["cleanupPolicy"], settings["retention"], agreed["retention"])
    assert kept in {("compact", "forever", "forever"), ("delete", "P400D", 400)}


@pytest.mark.parametrize(
    "document", [*map(contract, CONTRACT_IDS), *map(product, PRODUCT_IDS)], ids=lambda d: d["id"]
)
def test_somebody_owns_it_and_somebody_answers(document: dict[str, Any]) -> None:
    assert {"owner", "data steward"} <= {member["role"] for member in document["team"]["members"]}
    assert all(channel["url"] for channel in document["support"])
    assert document["status"] == "active"


@pytest.mark.parametrize("contract_id", CONTRACT_IDS)
def test_every_service_level_has_a_unit_unless_it_is_a_word_or_a_day(contract_id: str) -> None:
    levels = contract(contract_id)["slaProperties"]

    assert {"latency", "frequency", "retention", "availability"} <= {level["property"] for level in levels}
    assert all("unit" in level for level in levels if isinstance(level["value"], (int, float)))


@pytest.mark.parametrize("product_id", PRODUCT_IDS)
def test_an_output_port_offers_a_contract_of_its_own_at_its_version(product_id: str) -> None:
    ports = product(product_id)["outputPorts"]

    assert [port["contractId"] for port in ports] == [f"{product_id}.v1"]
    assert [port["version"] for port in ports] == [contract(f"{product_id}.v1")["version"]]


@pytest.mark.parametrize("product_id", DERIVED)
def test_a_derived_product_reads_contracts_that_exist_at_their_version(product_id: str) -> None:
    ports = product(product_id)["inputPorts"]

    assert ports
    assert all(port["version"] == contract(port["contractId"])["version"] for port in ports)


@pytest.mark.parametrize("product_id", DERIVED)
def test_the_lineage_of_an_output_port_is_its_input_ports(product_id: str) -> None:
    document = product(product_id)
    read = [(port["contractId"], port["version"]) for port in document["inputPorts"]]

    assert [(c["id"], c["version"]) for c in document["outputPorts"][0]["inputContracts"]] == read


@pytest.mark.parametrize("product_id", SOURCE_ALIGNED)
def test_a_source_aligned_product_reads_no_other_product(product_id: str) -> None:
    assert product(product_id)["type"] == "sourceAligned"
    assert "inputPorts" not in product(product_id)


@pytest.mark.parametrize("product_id", PRODUCT_IDS)
def test_the_implementation_is_code_of_the_products_domain_made_for_it(product_id: str) -> None:
    module, _, name = custom(product(product_id))["implementation"].partition(":")

    assert module.startswith(f"domains.{product_id.split('.')[0]}.")
    assert getattr(import_module(module), name).product == product_id


@pytest.mark.parametrize("product_id", PRODUCT_IDS)
def test_a_product_can_be_found_and_watched(product_id: str) -> None:
    ports = product(product_id)["managementPorts"]

    assert [port["content"] for port in ports] == ["discoverability", "observability"]
    assert all(port["url"].startswith(f"/products/{product_id.replace('.', '/')}") for port in ports)
