"""Which property of which contract a property's values are taken from: the relationships, followed."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from mesh.contract.model import Contract


class Target(NamedTuple):
    """A top-level property of a contract."""

    contract: Contract
    name: str


def references(contract: Contract, among: Iterable[Contract]) -> dict[str, Target]:
    """Of each top-level property that leads to one of `among` (or of the contract itself), where it leads."""
    known = {other.document.file: other for other in among} | {contract.document.file: contract}
    found: dict[str, Target] = {}
    for name, to in _relations(contract):
        file, _, pointer = to.rpartition("#")
        beside = posixpath.join(posixpath.dirname(contract.document.file), file)
        other = known.get(posixpath.normpath(beside)) if file else contract
        target = other and _property(other, pointer)
        if other and target and name not in found and (other.id, target) != (contract.id, name):
            found[name] = Target(other, target)
    return found


def _relations(contract: Contract) -> Iterator[tuple[str, str]]:
    schema = contract.document.data["schema"][0]
    for item in schema.get("properties") or []:
        for relation in item.get("relationships") or []:
            if isinstance(relation.get("to"), str):
                yield item["name"], relation["to"]
    for relation in schema.get("relationships") or []:
        starts, ends = (_listed(relation.get(key)) for key in ("from", "to"))
        for start, end in zip(starts, ends, strict=False):
            name = _property(contract, start)
            if name:
                yield name, end


def _listed(value: Any) -> list[str]:
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]


def _property(contract: Contract, pointer: str) -> str | None:
    """The top-level property that `schema.property` or `/schema/<id>/properties/<id>` names."""
    schema: Mapping[str, Any] = contract.document.data["schema"][0]
    parts = pointer.strip("/").split("/")
    if len(parts) == 4 and (parts[0], parts[2]) == ("schema", "properties"):
        if parts[1] not in (schema.get("id"), schema.get("name")):
            return None
        return next(
            (p["name"] for p in schema["properties"] if parts[3] in (p.get("id"), p.get("name"))), None
        )
    owner, _, name = pointer.partition(".")
    return name if owner == schema.get("name") and contract.property(name) else None
