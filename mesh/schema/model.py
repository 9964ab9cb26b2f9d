"""An Avro schema as a value."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from mesh.schema.nodes import Enum, Fixed, Named, Node, Record
from mesh.schema.render import codec_tree, full_tree, normal_tree
from mesh.schema.strict_json import Json, compact


@dataclass(frozen=True, slots=True)
class AvroSchema:
    """A schema that passed every guard; two are equal when their `text` is.

    `text` is compact JSON spelled one way (names resolved; docs, defaults and aliases kept), `tree`
    the same parsed: treat it as read-only. `fullname` is empty for unnamed types.
    """

    text: str
    fingerprint: str = field(compare=False)
    fullname: str = field(compare=False)
    recursive: bool = field(compare=False)
    root: Node = field(compare=False, repr=False)
    names: Mapping[str, Named] = field(compare=False, repr=False)
    tree: Json = field(compare=False, repr=False)

    @classmethod
    def of(cls, root: Node, names: Mapping[str, Named], *, recursive: bool) -> AvroSchema:
        """The schema of checked types; `names` holds every named type of it."""
        tree = full_tree(root)
        text = compact(tree)
        return cls(
            text=text,
            fingerprint=hashlib.sha256(text.encode()).hexdigest(),
            fullname=root.fullname if isinstance(root, Record | Enum | Fixed) else "",
            recursive=recursive,
            root=root,
            names=names,
            tree=tree,
        )

    def normal_text(self) -> str:
        """`text` with attributes that Avro does not define in alphabetical order."""
        return compact(normal_tree(self.root))

    @property
    def codec_tree(self) -> Json:
        """What Avro libraries may see: no attribute they do not know, no logical type that does not hold.

        Made anew on every call, so that a library may change it.
        """
        return codec_tree(self.root)
