"""Avro to contract: properties, and what ODCS has no word for as avro… customProperties.

From the contract follows the same schema again, to the letter of its normal form.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mesh import naming
from mesh.contract.avro import derived_schema
from mesh.contract.reading import read_contract
from mesh.errors import DeclarationError, Finding, SchemaError
from mesh.imports.avro_fields import Fields
from mesh.imports.document import Heading, contract_text
from mesh.schema import AvroSchema
from mesh.schema.nodes import Record


@dataclass(frozen=True, slots=True)
class Imported:
    """The text of a contract, and what the source said that the standard has no word for."""

    text: str
    findings: tuple[Finding, ...]


def contract_of_avro(schema: AvroSchema, heading: Heading, file: str) -> Imported:
    """The contract of a record schema; raises SchemaError (MESH-C106) when no contract can say it."""
    root = schema.root
    if not isinstance(root, Record) or not root.fields:
        raise SchemaError(
            f"no contract describes {root.kind!r}",
            code="MESH-C106",
            where=file,
            why="an event is a record with at least one field",
            fix="wrap the type in a record with one field",
        )
    fields = Fields(schema.names)
    properties = fields.of_root(root)
    custom: dict[str, object] = {}
    if root.fullname != naming.avro_fullname(heading.domain, heading.product):
        custom["avroName"] = root.fullname
    purpose = " ".join((root.doc or "").split())
    if root.doc is not None and (root.doc != purpose or not purpose):
        custom["avroDoc"] = root.doc
    if root.aliases:
        custom["avroAliases"] = list(root.aliases)
    if root.attributes:
        custom["avroAttributes"] = dict(root.attributes)
    text = contract_text(heading, properties, purpose=purpose, custom=custom)
    said = [*_of_record(custom), *fields.notes]
    findings = [
        Finding(
            code="MESH-C105",
            severity="info",
            message=f"{what}, kept as {kept}",
            where=f"{file} {path}",
            why="ODCS has no word for it",
            fix="see docs/reference/custom-properties.md",
        )
        for path, what, kept in said
    ]
    _require_same(text, schema, file)
    return Imported(text, tuple(findings))


def _of_record(custom: dict[str, object]) -> Iterator[tuple[str, str, str]]:
    words = {
        "avroName": "the record has a name of its own",
        "avroAliases": "the record has aliases",
        "avroAttributes": "the record has attributes beyond Avro's",
        "avroDoc": "the documentation is laid out in lines",
    }
    for key, what in words.items():
        if key in custom:
            yield "$", what, key


def _require_same(text: str, schema: AvroSchema, file: str) -> None:
    try:
        again = derived_schema(read_contract(text.encode(), file))
        different = again.normal_text() != schema.normal_text()
    except DeclarationError as error:
        raise SchemaError(
            "this schema cannot be told as a contract",
            code="MESH-C106",
            where=file,
            why=f"{error.error_code} {error.what}",
            fix="write the contract by hand, and put the schema beside it as .avsc",
        ) from error
    if different:
        raise SchemaError(
            "from the contract another schema would follow",
            code="MESH-C106",
            where=file,
            why="a number in it has more digits than YAML keeps",
            fix="write the contract by hand, and put the schema beside it as .avsc",
        )
