"""Why a schema is refused: one code per reason, each with a place inside the schema.

MESH-A001  not strict JSON                       MESH-A008  a union inside a union, or an empty one
MESH-A002  over a budget (bytes, depth, nodes…)  MESH-A009  a default that does not fit its type
MESH-A003  a name Avro does not allow            MESH-A010  a recursive type
MESH-A004  a type name defined twice             MESH-A011  array or map items that take no bytes
MESH-A005  a type that is not defined (yet)      MESH-A012  a type that no finite value can have
MESH-A006  an attribute missing or of a wrong kind   MESH-A013  an attribute reserved by Avro libraries
MESH-A007  the same field, symbol, alias or branch twice
MESH-A022  a reference to a schema that cannot be referred to here
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from mesh.errors import SchemaError

NOT_JSON = "MESH-A001"
OVER_BUDGET = "MESH-A002"
BAD_NAME = "MESH-A003"
NAME_TAKEN = "MESH-A004"
UNKNOWN_TYPE = "MESH-A005"
BAD_ATTRIBUTE = "MESH-A006"
REPEATED = "MESH-A007"
BAD_UNION = "MESH-A008"
BAD_DEFAULT = "MESH-A009"
RECURSIVE = "MESH-A010"
ZERO_WIDTH = "MESH-A011"
ENDLESS = "MESH-A012"
RESERVED = "MESH-A013"
BAD_REFERENCE = "MESH-A022"


@dataclass(frozen=True, slots=True)
class Hazard:
    """Why a valid schema is not safe to decode with: a few bytes could exhaust a reader."""

    code: str
    path: str
    what: str
    why: str
    fix: str = ""


def refuse_hazards(hazards: Sequence[Hazard]) -> None:
    """Raise SchemaError for the first hazard, if there is one."""
    for hazard in hazards:
        refuse(hazard.code, hazard.path, hazard.what, why=hazard.why, fix=hazard.fix)


def refuse(code: str, path: str, what: str, *, why: str = "", fix: str = "") -> NoReturn:
    """Raise SchemaError for the place `path` (a JSON path from `$`)."""
    raise SchemaError(what, code=code, where=path, why=why, fix=fix or f"change the schema at {path}")
