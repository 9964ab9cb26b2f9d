"""Why a schema that is not Avro is refused: one code per reason.

MESH-A023  a dialect of JSON Schema that is not known here
MESH-A024  a schema that its dialect does not allow
MESH-A025  a reference inside a schema that leads nowhere
MESH-A026  a pattern that can take a validator for ever
MESH-A027  a text that is not Protobuf
MESH-A028  a rule of Protobuf beyond its grammar that does not hold
"""

from __future__ import annotations

from typing import Final

NOT_A_DIALECT: Final = "MESH-A023"
NOT_VALID: Final = "MESH-A024"
UNRESOLVED: Final = "MESH-A025"
SLOW_PATTERN: Final = "MESH-A026"
NOT_PROTOBUF: Final = "MESH-A027"
BREAKS_A_RULE: Final = "MESH-A028"
