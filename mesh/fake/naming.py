"""Which contract a person means by a name."""

from __future__ import annotations

import difflib

from mesh.contract.model import Contract
from mesh.declaration import Declaration
from mesh.errors import UsageError


def contract_named(name: str, found: Declaration) -> Contract:
    """The contract of that id, or of the product's first output port; raises UsageError."""
    if name in found.contracts:
        return found.contracts[name]
    product = found.products.get(name)
    if product is not None:
        return found.contracts[product.output_ports[0].contract_id]
    near = difflib.get_close_matches(name, [*found.products, *found.contracts], n=1)
    raise UsageError(
        f"nothing here is called {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
        code="MESH-U132",
        why="no product and no contract under contracts/ and domains/ has this name",
        fix=f"mesh fake {near[0]}" if near else "mesh check",
    )
