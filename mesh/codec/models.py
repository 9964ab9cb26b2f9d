"""Pydantic models as dicts, equal to `model_dump()`; plain ones are read in place, at a tenth of its price.

A model is plain when its core schema says that dumping changes nothing but models to dicts: no serializers,
aliases, exclusions, computed or extra fields. All others are dumped by Pydantic itself, and so is a plain one
that holds something else than its fields declare.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import Any, Final

Read = Callable[[Any], Any]
Schema = Mapping[str, Any]

_LEAVES: Final = frozenset(
    {
        *("none", "bool", "int", "float", "str", "bytes", "date", "time", "datetime", "timedelta"),
        *("decimal", "uuid", "enum", "literal"),
    }
)
#: Schemas around another one that change how a value is checked, not how it is dumped.
_AROUND: Final = frozenset({"default", "function-after", "function-before", "function-wrap"})
_FIELD: Final = frozenset({"type", "schema", "metadata", "validation_alias", "serialization_alias", "frozen"})
_CONFIG: Final = frozenset({"serialize_by_alias", "extra_fields_behavior"})


@cache
def reader_of(model: type[Any]) -> Read:
    """How instances of a model become dicts: to be read only, for a plain one shares its fields' dict."""
    try:
        plain = _Compiler(model.__pydantic_core_schema__).root()
    except (_NotPlain, AttributeError):
        return lambda row: row.model_dump()

    def read(row: Any) -> Any:
        try:
            return plain(row)
        except (_Undeclared, KeyError, TypeError):
            return row.model_dump()

    return read


class _NotPlain(Exception):
    """Only Pydantic knows how to dump it."""


class _Undeclared(Exception):
    """A value is not of the very class that its field declares."""


class _Compiler:
    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._shared: dict[str, Schema] = {}

    def root(self) -> Read:
        found = self._reader(self._schema, ())
        if found is None:
            raise _NotPlain
        return found

    def _reader(self, schema: Schema, above: tuple[type[Any], ...]) -> Read | None:
        """How a value is read; None when it stays as it is."""
        kind = schema["type"]
        if "serialization" in schema:
            raise _NotPlain
        if kind in _LEAVES:
            return None
        if kind == "definitions":
            self._shared |= {one["ref"]: one for one in schema["definitions"]}
        if kind == "definitions" or kind in _AROUND:
            return self._reader(schema["schema"], above)
        if kind == "definition-ref":
            return self._reader(self._shared[schema["schema_ref"]], above)
        if kind == "nullable":
            return _optional(self._reader(schema["schema"], above))
        if kind == "list" and "items_schema" in schema:
            return _each(self._reader(schema["items_schema"], above))
        if kind == "model" and schema["cls"] not in above:
            return self._model(schema, above)
        if kind == "dict" and {"keys_schema", "values_schema"} <= set(schema):
            self._require_leaves([schema["keys_schema"], schema["values_schema"]], above)
            return None
        if kind == "union":
            self._require_leaves(schema["choices"], above)
            return None
        raise _NotPlain

    def _require_leaves(self, schemas: list[Any], above: tuple[type[Any], ...]) -> None:
        for schema in schemas:
            if self._reader(schema[0] if isinstance(schema, tuple) else schema, above) is not None:
                raise _NotPlain

    def _model(self, schema: Schema, above: tuple[type[Any], ...]) -> Read:
        model, inside = schema["cls"], schema["schema"]
        while inside["type"] in _AROUND:
            inside = inside["schema"]
        if schema.get("root_model") or _CONFIG & {k for k, v in schema.get("config", {}).items() if v}:
            raise _NotPlain
        if inside["type"] != "model-fields" or inside.get("computed_fields") or _dumps_in_its_own_way(model):
            raise _NotPlain
        if any(set(field) - _FIELD for field in inside["fields"].values()):
            raise _NotPlain
        found = {
            name: self._reader(field["schema"], (*above, model)) for name, field in inside["fields"].items()
        }
        return _fields_of(model, {name: reader for name, reader in found.items() if reader is not None})


def _dumps_in_its_own_way(model: type[Any]) -> bool:
    from pydantic import BaseModel

    if model.model_dump is not BaseModel.model_dump:
        return True
    return any(isinstance(held, cached_property) for one in model.__mro__ for held in vars(one).values())


def _fields_of(model: type[Any], readers: Mapping[str, Read]) -> Read:
    some = tuple(readers.items())

    def read(row: Any) -> Any:
        if type(row) is not model:
            raise _Undeclared
        own = row.__dict__
        return {**own, **{name: reader(own[name]) for name, reader in some}} if some else own

    return read


def _optional(reader: Read | None) -> Read | None:
    return None if reader is None else lambda value: None if value is None else reader(value)


def _each(reader: Read | None) -> Read | None:
    return None if reader is None else lambda values: [reader(value) for value in values]
