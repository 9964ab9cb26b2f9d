"""Several major versions of one contract: whoever reads an earlier one is told, and knows until when.

The migration window is the earlier contract's own promise: `endOfSupport` (or `endOfLife`) among its
service levels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mesh.contract.model import Contract
from mesh.errors import Finding

_ENDS = ("endofsupport", "endoflife", "es", "el")
_GOING = ("deprecated", "retired")


def majors_findings(contracts: Mapping[str, Contract]) -> Iterator[Finding]:
    """MESH-C122 an earlier major is not deprecated, MESH-C123 it does not say when its support ends."""
    newest: dict[str, Contract] = {}
    for contract in contracts.values():
        family = contract.topic.rpartition(".")[0]
        if family not in newest or newest[family].version.major < contract.version.major:
            newest[family] = contract
    for contract in contracts.values():
        latest = newest[contract.topic.rpartition(".")[0]]
        if contract.version.major < latest.version.major and latest.status not in ("draft", "proposed"):
            yield from _earlier(contract, latest)


def _earlier(contract: Contract, latest: Contract) -> Iterator[Finding]:
    if contract.status not in _GOING:
        yield Finding(
            code="MESH-C122",
            severity="warning",
            message=f"{contract.id} is {contract.status}, though {latest.id} has taken its place",
            where=contract.document.at("status"),
            why="whoever finds it takes it for current, and builds on what is about to end",
            fix="write status: deprecated, and raise the version",
        )
    if contract.status != "retired" and not any(
        level.property.lower() in _ENDS and level.value is not None for level in contract.service_levels
    ):
        yield Finding(
            code="MESH-C123",
            severity="warning",
            message=f"{contract.id} does not say until when it is supported",
            where=contract.document.at("slaProperties"),
            why=f"its readers need to know by when they must read {latest.id}",
            fix="add to slaProperties: {property: endOfSupport, value: 'YYYY-MM-DD'}",
        )
