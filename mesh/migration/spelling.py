"""Whether two registries mean the same schema, although each spells schemas in its own way."""

from __future__ import annotations

import json

from mesh.errors import SchemaError
from mesh.migration.model import RegistryCopy, SchemaVersion
from mesh.schema import AvroSchema, parse_any_schema


class Spelling:
    """One spelling for the schemas of one copy; each is read once."""

    def __init__(self, copy: RegistryCopy) -> None:
        self._versions = {version.place: version for version in copy.versions}
        self._parsed: dict[tuple[str, int], AvroSchema | None] = {}

    def of(self, version: SchemaVersion) -> tuple[str, str]:
        """Kind and text, equal for equal schemas."""
        if version.kind == "AVRO":
            schema = self._schema(version, frozenset())
            if schema is not None:
                return version.kind, schema.complete_text()
        return version.kind, _as_json(version.text)

    def _schema(self, version: SchemaVersion, above: frozenset[tuple[str, int]]) -> AvroSchema | None:
        """The schema with what it refers to; None for a text that Avro does not take, or a circle."""
        if version.place in self._parsed:
            return self._parsed[version.place]
        if version.place in above:
            return None
        found: AvroSchema | None = None
        below = [self._versions.get(place) for place in version.refers_to]
        known = [self._schema(one, above | {version.place}) for one in below if one is not None]
        try:
            found = parse_any_schema(version.text, tuple(one for one in known if one is not None))
        except SchemaError:
            found = None
        self._parsed[version.place] = found
        return found


def _as_json(text: str) -> str:
    """JSON without its white space and its order; any other text without the space around its lines."""
    try:
        return json.dumps(json.loads(text), separators=(",", ":"), sort_keys=True)
    except (ValueError, RecursionError):
        return "\n".join(line.strip() for line in text.splitlines() if line.strip())
