"""The `.avsc` beside a contract: when it agrees, it is the schema that is registered and published."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mesh import limits
from mesh.contract.agreement import disagreements
from mesh.contract.avro import derived_schema
from mesh.contract.model import Contract
from mesh.contract.yaml import Document, read
from mesh.errors import DeclarationError, Finding, Location, SchemaError
from mesh.schema import AvroSchema, parse_schema

AVRO_SUFFIX = ".avsc"


def refined(contract: Contract, raw: bytes, file: str) -> Contract:
    """The contract with this schema; raises DeclarationError when it does not hold or does not agree.

    The findings have the schema's own code (MESH-A…) or MESH-C104, and a place in the `.avsc`.
    """
    try:
        schema = parse_schema(raw[: limits.SCHEMA_BYTES + 1].decode("utf-8-sig", errors="replace"))
    except SchemaError as error:
        raise DeclarationError(
            error.what,
            code=error.error_code,
            where=file,
            why=f"at {error.where}" + (f": {error.why}" if error.why else ""),
            fix=f"correct {file}, or remove it: the contract makes a schema of its own",
        ) from error
    found = tuple(_findings(contract, schema, raw, file))
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise DeclarationError(
            found[0].message + more,
            code="MESH-C104",
            where=found[0].where,
            why=found[0].why,
            fix=found[0].fix,
            findings=found,
        )
    return replace(contract, refined=schema)


def with_schema(contract: Contract, text: str) -> Contract:
    """The contract with the schema that it was approved with; one that follows from it needs no mention."""
    if not text or text == derived_schema(contract).text:
        return contract
    return replace(contract, refined=parse_schema(text))


def _findings(contract: Contract, schema: AvroSchema, raw: bytes, file: str) -> Iterator[Finding]:
    document = _positions(raw, file)
    for difference in disagreements(derived_schema(contract), schema):
        yield Finding(
            code="MESH-C104",
            message=f"{difference.field or 'the event'}: the contract says {difference.wanted},"
            f" the schema {difference.found}",
            where=document.at(*difference.path) if document else Location(file),
            why="the schema may add names, words, aliases, defaults, finer times; the rest is the contract's",
            fix=f"correct {file}, or the property in {contract.document.file}",
        )


def _positions(raw: bytes, file: str) -> Document | None:
    # JSON is YAML, so one reader knows all places; what it cannot read has no place.
    try:
        return read(raw, file)
    except DeclarationError:
        return None
