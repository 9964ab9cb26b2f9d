"""Which release decides: a digest of the code and the libraries that make views of records.

A snapshot made by other code is another release's, whatever its version number says: that code might have
decided otherwise, and only a replay says how this one does.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

import mesh
import mesh_platform

_DECIDE: Final = (
    (mesh, ("schema", "compatibility", "contract", "rules", "product.py", "plan", "limits.py", "naming.py")),
    (mesh_platform, ("audit", "commands.py", "governance", "log", "outcomes.py", "registry", "views.py")),
)
_JUDGE: Final = ("jsonschema", "proto-schema-parser")


@cache
def release() -> str:
    """Equal for equal code, and only then."""
    versions = [version(library) for library in _JUDGE]
    digest = hashlib.sha256(json.dumps(versions).encode())
    for package, names in _DECIDE:
        root = Path(package.__path__[0])
        for name in names:
            place = root / name
            for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
                digest.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:32]
