"""Contract to Avro schema, deterministically (standards digest §1.8).

Optional properties become `["null", T]` with default null, so that adding one later stays
compatible. A timestamp is UTC microseconds; a property may say otherwise by `timezone: false`.
An `.avsc` beside the contract that agrees with it takes the place of what follows from it.
"""

from __future__ import annotations

import json
import re
from typing import Any

from mesh import naming
from mesh.contract.avro_names import written_once
from mesh.contract.avro_types import Place, field_tree
from mesh.contract.model import Contract
from mesh.errors import DeclarationError, SchemaError
from mesh.schema import AvroSchema, parse_schema
from mesh.schema.parts import STANDARD

_FIELD = re.compile(r"\$\.fields\[([0-9]+)\]")


def avro_schema(contract: Contract) -> AvroSchema:
    """The Avro schema of a contract's events; raises DeclarationError for a type without an Avro form."""
    return contract.refined or derived_schema(contract)


def derived_schema(contract: Contract) -> AvroSchema:
    """What follows from the contract alone; raises DeclarationError for a type without an Avro form."""
    fullname = record_name(contract)
    namespace, _, name = fullname.rpartition(".")
    record: dict[str, Any] = {"type": "record", "name": fullname}
    doc = contract.custom.get("avroDoc", " ".join(contract.purpose.split()) or None)
    if doc is not None:
        record["doc"] = doc
    if "avroAliases" in contract.custom:
        record["aliases"] = contract.custom["avroAliases"]
    place = Place(namespace, name)
    record["fields"] = [field_tree(p, place) for p in contract.properties]
    record |= _attributes(contract)
    try:
        return parse_schema(json.dumps(written_once(record), ensure_ascii=False))
    except SchemaError as error:
        found = _FIELD.match(str(error.where))
        raise DeclarationError(
            error.what,
            code=error.error_code,
            where=contract.properties[int(found[1])].where if found else contract.document.at("schema"),
            why=error.why or f"the Avro schema that follows from it does not hold at {error.where}",
            fix="correct the property: name, enum, avro… customProperties, precision or scale",
        ) from error


def _attributes(contract: Contract) -> dict[str, Any]:
    found = contract.custom.get("avroAttributes", {})
    if not isinstance(found, dict) or not STANDARD["record"].isdisjoint(found):
        raise DeclarationError(
            f"avroAttributes of the schema cannot be {str(found)[:80]!r}",
            code="MESH-C100",
            where=contract.document.at("schema", 0, "customProperties"),
            why="expected a mapping of attributes that no other word says",
            fix="correct the value; docs/reference/custom-properties.md has the table",
        )
    return found


def record_name(contract: Contract) -> str:
    """The full Avro name of the contract's events: said by `avroName`, or following from the topic."""
    topic = naming.parse_topic(contract.topic)
    product = topic.product if topic.port is None else f"{topic.product}-{topic.port}"
    return str(contract.custom.get("avroName", naming.avro_fullname(topic.domain, product)))
