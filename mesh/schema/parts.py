"""The parts of a type definition: standard attributes, free attributes, symbols, sizes."""

from __future__ import annotations

from typing import Final, NoReturn

from mesh import limits
from mesh.schema.names import check_distinct, check_simple_name
from mesh.schema.nodes import Attributes
from mesh.schema.refusal import BAD_ATTRIBUTE, BAD_DEFAULT, OVER_BUDGET, RESERVED, refuse
from mesh.schema.strict_json import Json

Tree = dict[str, Json]

#: Types counted again at every reference: what a reader walks for one value.
WRITTEN_OUT_NODES: Final = 10 * limits.SCHEMA_NODES
STANDARD: Final = {
    "record": {"type", "name", "namespace", "doc", "aliases", "fields"},
    "enum": {"type", "name", "namespace", "doc", "aliases", "symbols", "default"},
    "fixed": {"type", "name", "namespace", "doc", "aliases", "size"},
    "array": {"type", "items"},
    "map": {"type", "values"},
    "field": {"name", "type", "doc", "default", "order", "aliases"},
}
ORDERS: Final = ("ascending", "descending", "ignore")


def attributes_of(tree: Tree, standard: set[str]) -> Attributes:
    """What the author wrote beyond the standard, logical types among it."""
    return {key: value for key, value in tree.items() if key not in standard}


def doc_of(tree: Tree) -> str | None:
    """The documentation, when it is text."""
    doc = tree.get("doc")
    return doc if isinstance(doc, str) else None


def symbols_of(tree: Tree, path: str) -> tuple[tuple[str, ...], str | None]:
    """The symbols of an enum and its default; raises SchemaError when they do not hold."""
    found = tree.get("symbols")
    if not isinstance(found, list) or not found:
        refuse(BAD_ATTRIBUTE, f"{path}.symbols", "an enum needs a list of symbols")
    if len(found) > limits.ENUM_SYMBOLS:
        refuse(OVER_BUDGET, f"{path}.symbols", f"the enum has more than {limits.ENUM_SYMBOLS:,} symbols")
    names = [
        check_simple_name(symbol, f"{path}.symbols[{index}]", "symbol") for index, symbol in enumerate(found)
    ]
    symbols = check_distinct(names, f"{path}.symbols", "symbol")
    default = tree.get("default")
    if default is None:
        return symbols, None
    if not isinstance(default, str) or default not in symbols:
        refuse(BAD_DEFAULT, f"{path}.default", f"the default {default!r} is not one of the symbols")
    return symbols, default


def size_of(tree: Tree, path: str) -> int:
    """The size of a fixed in bytes; raises SchemaError when it is none."""
    size = tree.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 2**31:
        refuse(BAD_ATTRIBUTE, f"{path}.size", "the size of a fixed is a number of bytes, 0 to 2147483647")
    return size


def refuse_reserved(key: str, path: str) -> None:
    """Refuse attributes that Avro libraries mark their own parsed schemas with: they would skip parsing."""
    if key.startswith("__"):
        refuse(RESERVED, path, f"the attribute {key[:40]!r} is reserved for Avro libraries")


def refuse_nodes(path: str, limit: int) -> NoReturn:
    """Refuse a schema of too many types."""
    refuse(OVER_BUDGET, path, f"the schema describes more than {limit:,} nested types")


def refuse_depth(path: str) -> NoReturn:
    """Refuse a type that stands too deep."""
    refuse(OVER_BUDGET, path, f"types are nested deeper than {limits.SCHEMA_DEPTH} levels")
