"""What the `$ref`s of a JSON Schema lead to: places in it and in its references, and nowhere else, ever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urldefrag, urljoin

from mesh import limits
from mesh.schema.refusal import BAD_ATTRIBUTE, OVER_BUDGET, refuse
from mesh.schema.strict_json import Json
from mesh_platform.registry.kinds.json_dialect import Dialect, check_valid, dialect_of
from mesh_platform.registry.kinds.refusal import NOT_A_DIALECT, UNRESOLVED

if TYPE_CHECKING:
    from referencing import Registry, Specification
    from referencing._core import Resolver

_REFERRING: Final = ("$ref", "$dynamicRef", "$recursiveRef")
#: By the address that `$ref`s say.
Documents = Mapping[str, tuple[Json, Dialect]]
Tree = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Reach:
    """Every schema that is an object and can be reached, what each `$ref` leads to, and which documents."""

    schemas: list[Tree] = field(default_factory=list)
    led_to: dict[int, Json] = field(default_factory=dict)  #: by the id of the schema that holds the `$ref`
    addresses: set[str] = field(default_factory=set)


def reach(address: str, root: Json, dialect: Dialect, documents: Documents) -> Reach:
    """What a document reaches, its own schemas first; raises SchemaError when a `$ref` leads nowhere."""
    everything = {**documents, address: (root, dialect)}
    return _Walk(everything, _registry(everything)).reach(address, root, dialect)


@dataclass(frozen=True, slots=True)
class _Stand:
    """A schema, and from where its `$ref`s are read."""

    schema: Json
    base: str
    resolver: Resolver[Json]
    dialect: Dialect


class _Walk:
    def __init__(self, documents: Documents, registry: Registry[Json]) -> None:
        self._documents = documents
        self._registry = registry
        self._seen: set[int] = set()
        self._found = Reach()

    def reach(self, address: str, root: Json, dialect: Dialect) -> Reach:
        targets = self._take([_Stand(root, address, self._registry.resolver(address), dialect)])
        while targets:
            # What stands under a keyword was validated with its document; what only a `$ref` finds was not.
            targets = [target for target in targets if id(target.schema) not in self._seen]
            for target in targets:
                check_valid(target.schema, target.dialect)
            targets = self._take(targets)
        return self._found

    def _take(self, waiting: list[_Stand]) -> list[_Stand]:
        """Walk schemas and those inside them; gives what their `$ref`s lead to."""
        targets = []
        while waiting:
            stand = waiting.pop()
            schema = stand.schema
            if not isinstance(schema, dict) or id(schema) in self._seen:
                continue
            self._seen.add(id(schema))
            self._found.schemas.append(schema)
            if len(self._seen) > limits.SCHEMA_NODES:
                what = f"the schema, with what it refers to, holds more than {limits.SCHEMA_NODES:,} schemas"
                refuse(OVER_BUDGET, "$", what)
            stand = self._inside(stand, schema)
            targets += self._led_to(stand, schema)
            parts = _specification(stand.dialect).subresources_of(schema)
            waiting += [_Stand(part, stand.base, stand.resolver, stand.dialect) for part in parts]
        return targets

    def _inside(self, stand: _Stand, schema: Tree) -> _Stand:
        if "$schema" in schema and dialect_of(schema) != stand.dialect:
            refuse(NOT_A_DIALECT, "$", "a schema inside the schema is in another dialect")
        specification = _specification(stand.dialect)
        own = specification.id_of(schema)
        if own is None:
            return stand
        resolver = stand.resolver.in_subresource(specification.create_resource(schema))
        return _Stand(schema, urljoin(stand.base, own.rstrip("#")), resolver, stand.dialect)

    def _led_to(self, stand: _Stand, schema: Tree) -> list[_Stand]:
        found = []
        for keyword in _REFERRING:
            reference = schema.get(keyword)
            if isinstance(reference, str):
                target = self._target(stand, reference)
                found.append(target)
                self._found.addresses.add(target.base)
                if keyword == "$ref":
                    self._found.led_to[id(schema)] = target.schema
        return found

    def _target(self, stand: _Stand, reference: str) -> _Stand:
        from referencing.exceptions import Unresolvable

        try:
            base = urldefrag(urljoin(stand.base, reference)).url
            resolved = stand.resolver.lookup(reference)
        except (Unresolvable, ValueError, TypeError, AttributeError, LookupError):
            resolved = None
        if resolved is None or not isinstance(resolved.contents, bool | dict):
            refuse(
                UNRESOLVED,
                "$",
                f"{reference[:80]!r} leads to no schema",
                why="nothing is fetched: a reference leads into the schema, or to one of its references",
                fix="define it under $defs or definitions, or register it and name it among the references",
            )
        _, dialect = self._documents.get(base, (None, stand.dialect))
        return _Stand(resolved.contents, base, resolved.resolver, dialect)


def _registry(documents: Documents) -> Registry[Json]:
    from referencing import Registry

    resources = [
        (address, _specification(dialect).create_resource(tree))
        for address, (tree, dialect) in documents.items()
    ]
    registry: Registry[Json] = Registry().with_resources(resources)
    try:
        crawled = registry.crawl()
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        refuse(BAD_ATTRIBUTE, "$", f"the schema's $id or anchors cannot be read: {str(error)[:80]}")
    else:
        return crawled


def _specification(dialect: Dialect) -> Specification[Json]:
    from referencing.jsonschema import specification_with

    return specification_with(dialect.address)
