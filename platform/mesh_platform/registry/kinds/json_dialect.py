"""The dialects of JSON Schema, draft 4 to 2020-12, and whether a document keeps to its own.

A document without `$schema` is draft 7, as clients of registries take it. No dialect is ever fetched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from mesh.schema.refusal import refuse
from mesh.schema.strict_json import Json
from mesh_platform.registry.kinds.refusal import NOT_A_DIALECT, NOT_VALID

if TYPE_CHECKING:
    from jsonschema_rs import Validator


@dataclass(frozen=True, slots=True)
class Dialect:
    """One version of JSON Schema: its own address, and what libraries call it."""

    address: str
    number: int


_DRAFT_7: Final = Dialect("http://json-schema.org/draft-07/schema#", 7)
DIALECTS: Final = (
    Dialect("http://json-schema.org/draft-04/schema#", 4),
    Dialect("http://json-schema.org/draft-06/schema#", 6),
    _DRAFT_7,
    Dialect("https://json-schema.org/draft/2019-09/schema", 19),
    Dialect("https://json-schema.org/draft/2020-12/schema", 20),
)
_KNOWN: Final = {dialect.address.rstrip("#").partition("://")[2]: dialect for dialect in DIALECTS}
_ADDRESS: Final = re.compile(r"https?://([^#]*)#?\Z")


def dialect_of(tree: Json) -> Dialect:
    """The dialect a document says it is in; raises SchemaError MESH-A023 for one that is not known here."""
    said = tree.get("$schema") if isinstance(tree, dict) else None
    if said is None:
        return _DRAFT_7
    found = _ADDRESS.match(said) if isinstance(said, str) else None
    known = _KNOWN.get(found[1]) if found else None
    if known is None:
        refuse(
            NOT_A_DIALECT,
            "$.$schema",
            f"{str(said)[:80]!r} is not a dialect of JSON Schema known here",
            why="what its keywords mean would have to be fetched, and nothing is",
            fix=f"use one of {', '.join(dialect.address for dialect in DIALECTS)}",
        )
    return known


def check_valid(tree: Json, dialect: Dialect) -> None:
    """Raise SchemaError MESH-A024 unless the document is a schema of its dialect."""
    from jsonschema_rs import ValidationError

    try:
        _meta_schema(dialect).validate(tree)
    except ValidationError as error:
        place = "".join(f"/{part}" for part in error.instance_path) or "/"
        what = f"the schema does not keep to {dialect.address}: {_first_line(error.message)}"
        refuse(NOT_VALID, place, what)


@cache
def _meta_schema(dialect: Dialect) -> Validator:
    import jsonschema_rs

    validators = {
        4: jsonschema_rs.Draft4Validator,
        6: jsonschema_rs.Draft6Validator,
        7: jsonschema_rs.Draft7Validator,
        19: jsonschema_rs.Draft201909Validator,
        20: jsonschema_rs.Draft202012Validator,
    }
    # The meta-schemas are part of the library: the reference is resolved without a network.
    return validators[dialect.number]({"$ref": dialect.address}, offline=True)


def _first_line(message: str) -> str:
    return message.partition("\n")[0][:200]
