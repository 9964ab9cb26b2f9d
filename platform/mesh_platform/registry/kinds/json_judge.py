"""Whether one JSON Schema accepts every value that another accepts: proven, disproven, or nobody knows.

The proof is jsonschema-rs's: a schema becomes a canonical form, and one form covers another or does not.
What it cannot tell is not called compatible. Each pair is weighed before, so that none takes long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from mesh.compatibility import Level
from mesh_platform.registry.kinds.json_weight import weight, written_out
from mesh_platform.registry.kinds.model import CANNOT_BE_JUDGED, Reason

if TYPE_CHECKING:
    from jsonschema_rs import CanonicalSchema

    from mesh_platform.registry.kinds.json_schema import JsonSchema

VALUES_REFUSED: Final = "VALUES_REFUSED"
#: What a schema may weigh to be compared: chosen so that the worst pair found takes well below a second.
HEAVIEST: Final = 5_000
Answer = Literal["yes", "no", "unknown"]


def judge(new: JsonSchema, earlier: JsonSchema, level: Level) -> list[Reason]:
    """What keeps `new` from following `earlier`."""
    found: list[Reason] = []
    if level.backward:
        found += _told(_covers(new, earlier), "The new schema refuses values that the earlier one accepts.")
    if level.forward:
        found += _told(_covers(earlier, new), "The earlier schema refuses values that the new one accepts.")
    return found


def _told(answer: Answer, refused: str) -> list[Reason]:
    if answer == "yes":
        return []
    if answer == "no":
        message = "not every value of the one is a value of the other"
        fix = "accept them, or use another subject"
        return [Reason(type=VALUES_REFUSED, path="/", message=message, explanation=refused, fix=fix)]
    return [
        Reason(
            type=CANNOT_BE_JUDGED,
            path="/",
            message="nobody can say whether every value of the one is a value of the other",
            explanation="The two schemas cannot be judged: what is not proven compatible is not called so.",
            fix="simplify what differs, use another subject, or set the subject's level to NONE",
        )
    ]


def _covers(reader: JsonSchema, writer: JsonSchema) -> Answer:
    """Whether `reader` accepts every value that `writer` accepts."""
    from jsonschema_rs import ReferencingError
    from jsonschema_rs.canonical import (
        CanonicalizationError,
        Containment,
        IncompatibleOperands,
        UnsupportedOperand,
    )

    if reader.dialect != writer.dialect or any(_heavy(schema) for schema in (reader, writer)):
        return "unknown"
    try:
        answer = _canonical(reader).covers(_canonical(writer))
    except (CanonicalizationError, ReferencingError, IncompatibleOperands, UnsupportedOperand):
        return "unknown"
    if answer is Containment.YES:
        return "yes"
    return "no" if answer is Containment.NO else "unknown"


def _heavy(schema: JsonSchema) -> bool:
    if weight(schema.reach) > HEAVIEST:
        return True
    return bool(schema.references) and written_out(schema.reach) > HEAVIEST


def _canonical(schema: JsonSchema) -> CanonicalSchema:
    import jsonschema_rs

    tree, draft, base = schema.tree, schema.dialect.number, schema.address
    documents = [(address, part) for address, (part, _) in schema.documents().items()]
    if not documents:
        return jsonschema_rs.canonicalize(tree, draft=draft, base_uri=base, offline=True)
    # One address may lead to different schemas in two versions: what is written out needs no address.
    registry = jsonschema_rs.Registry(documents, draft=draft)
    whole = jsonschema_rs.dereference(tree, registry=registry, draft=draft, base_uri=base, offline=True)
    return jsonschema_rs.canonicalize(whole, registry=registry, draft=draft, base_uri=base, offline=True)
