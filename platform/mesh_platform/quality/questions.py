"""The query of an SQL rule as it is asked: `{object}` is the window, `{property}` the rule's column."""

from __future__ import annotations

import re
from typing import Final

from mesh.contract.model import Contract, QualityRule
from mesh.rules.sql import quoted
from mesh_platform.quality.places import Obstacle, require_property

_OBJECT: Final = ("object", "table", "schema", "model")
_PLACEHOLDER: Final = re.compile(r"\$?\{(object|table|schema|model|property|column|field)\}")


def question(contract: Contract, rule: QualityRule) -> str:
    """The query with its placeholders filled in; raises Obstacle for one without a property to name."""
    if not rule.query.strip():
        raise Obstacle("the rule has no query")

    def named(found: re.Match[str]) -> str:
        return quoted(contract.schema_name) if found[1] in _OBJECT else _column(contract, rule)

    return _PLACEHOLDER.sub(named, rule.query)


def _column(contract: Contract, rule: QualityRule) -> str:
    path = require_property(contract, rule.property).path
    return ".".join(map(quoted, path.split(".")))
