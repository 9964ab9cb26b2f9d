"""Events for tests, made from the contracts around the test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh.contract.model import Contract

if TYPE_CHECKING:
    import pyarrow as pa

    from mesh.fake import Fake


def fake_events(
    product: str | Contract, count: int = 10, *, seed: int = 0, folder: Path | None = None
) -> list[dict[str, Any]]:
    """Events that keep a contract, as dicts; by `<domain>.<product>`, contract id, or the contract itself.

    Names are looked up in the mesh around `folder`, by default the working folder. Raises UsageError for
    a name that is not declared there, DeclarationError for declarations that do not hold.
    """
    return _fake(product, seed, folder).events(count)


def fake_batch(
    product: str | Contract, count: int = 10, *, seed: int = 0, folder: Path | None = None
) -> pa.RecordBatch:
    """The same as an Arrow batch: what a pipeline gets."""
    return _fake(product, seed, folder).batch(count)


def _fake(product: str | Contract, seed: int, folder: Path | None) -> Fake:
    from mesh.adapters.workspace import FOLDERS, find_root, read_sources
    from mesh.declaration import declare
    from mesh.fake import Fake, contract_named

    if isinstance(product, Contract):
        return Fake(product, seed)
    root = find_root(folder or Path.cwd())
    found = declare(read_sources([root / n for n in FOLDERS if (root / n).is_dir()], root)).require()
    return Fake(contract_named(product, found), seed, found.contracts.values())
