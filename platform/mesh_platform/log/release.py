"""Which release decides: a digest of the code that makes views of records.

A snapshot made by other code is another release's, whatever its version number says: that code might have
decided otherwise, and only a replay says how this one does.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

import mesh
import mesh_platform

_DECIDE: Final = (
    (mesh, ("schema", "compatibility", "limits.py", "naming.py", "errors.py")),
    (mesh_platform, ("audit", "governance", "log", "registry", "views.py")),
)


@cache
def release() -> str:
    """Equal for equal code, and only then."""
    digest = hashlib.sha256()
    for package, names in _DECIDE:
        root = Path(package.__path__[0])
        for name in names:
            place = root / name
            for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
                digest.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:32]
