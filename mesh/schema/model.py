"""An Avro schema as a value."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from mesh.schema.builder import Builder, Known
from mesh.schema.nodes import Enum, Fixed, Named, Node, Record
from mesh.schema.refusal import RECURSIVE, Hazard
from mesh.schema.render import codec_tree, complete_tree, full_tree, normal_tree
from mesh.schema.strict_json import Json, compact


@dataclass(frozen=True, slots=True)
class AvroSchema:
    """A valid schema; two are equal when their `text` and all that it refers to are.

    `text` is compact JSON spelled one way (names resolved; docs, defaults and aliases kept), `tree`
    the same parsed: treat it as read-only. `fullname` is empty for unnamed types. `used` are the full
    names of the types that other schemas define. It is safe to decode with when it has no `hazards`.
    """

    text: str
    fingerprint: str
    fullname: str = field(compare=False)
    root: Node = field(compare=False, repr=False)
    known: Known = field(compare=False, repr=False)
    tree: Json = field(compare=False, repr=False)
    hazards: tuple[Hazard, ...] = field(compare=False, default=())
    used: frozenset[str] = field(compare=False, default=frozenset())

    @classmethod
    def of(cls, root: Node, builder: Builder, hazards: tuple[Hazard, ...]) -> AvroSchema:
        """The schema of checked types."""
        tree = full_tree(root)
        text = compact(tree)
        whole = compact(complete_tree(root, builder.names)) if builder.used else text
        return cls(
            text=text,
            fingerprint=hashlib.sha256(whole.encode()).hexdigest(),
            fullname=root.fullname if isinstance(root, Record | Enum | Fixed) else "",
            root=root,
            known=Known(builder.names, builder.shapes),
            tree=tree,
            hazards=hazards,
            used=frozenset(builder.used),
        )

    @property
    def names(self) -> Mapping[str, Named]:
        """Every named type of the schema, and of those that it refers to."""
        return self.known.names

    @property
    def recursive(self) -> bool:
        """Whether a value can hold another of its own type."""
        return any(hazard.code == RECURSIVE for hazard in self.hazards)

    @property
    def decode_safe(self) -> bool:
        """Whether no bytes can exhaust a reader: bounded depth, no items that take no bytes."""
        return not self.hazards

    def normal_text(self) -> str:
        """`text` with attributes that Avro does not define in alphabetical order."""
        return compact(normal_tree(self.root))

    def complete_text(self) -> str:
        """`text` with the types of other schemas written out."""
        return compact(complete_tree(self.root, self.names)) if self.used else self.text

    @property
    def codec_tree(self) -> Json:
        """What Avro libraries may see: no attribute they do not know, no logical type that does not hold.

        Made anew on every call, so that a library may change it.
        """
        return codec_tree(self.root, self.names)
