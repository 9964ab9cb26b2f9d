"""The front door stays what it is, whatever has been imported through it."""

from __future__ import annotations

import subprocess
import sys


def test_every_name_can_be_used_twice() -> None:
    """A submodule of the same name would take a function's place once it is imported."""
    program = """
import importlib, pkgutil, mesh
before = {name: getattr(mesh, name) for name in mesh.__all__}
for found in pkgutil.iter_modules(mesh.__path__):
    importlib.import_module(f"mesh.{found.name}")
after = {name: getattr(mesh, name) for name in mesh.__all__}
assert before == after, [name for name in before if before[name] is not after[name]]
print(len(after))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 5


def test_an_unknown_name_is_said_to_be_unknown() -> None:
    import mesh

    assert not hasattr(mesh, "nonsense")
