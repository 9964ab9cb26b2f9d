"""What Great Expectations is asked for each rule of a contract, for `mesh rules`."""

from __future__ import annotations

import json
from collections.abc import Mapping

from mesh.contract.model import Contract
from mesh.rules.inexpressible import Inexpressible
from mesh_platform.quality.compilation import checks_of
from mesh_platform.quality.model import WindowCheck

_BY_DUCKDB = "the quality worker asks DuckDB"


def expressed(contract: Contract) -> Mapping[tuple[str, str | None], str | Inexpressible]:
    """By a rule's name and property: the expectations that stand for it, or why there are none."""
    return {(check.name, check.property): _text(check) for check in checks_of(contract)}


def _text(check: WindowCheck) -> str | Inexpressible:
    if check.obstacle or check.query:
        return Inexpressible("Great Expectations", check.obstacle or _BY_DUCKDB)
    asked = [
        f"{e.type} {json.dumps(dict(e.kwargs), default=str, ensure_ascii=False)}" for e in check.expectations
    ]
    return " and ".join(asked)
