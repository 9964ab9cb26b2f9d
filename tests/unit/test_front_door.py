"""The front door stays what it is, whatever has been imported through it."""

from __future__ import annotations

import subprocess
import sys

import pytest


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


@pytest.mark.parametrize(
    ("statement", "heavy"),
    [
        ("import mesh", "dataclasses pyarrow confluent_kafka typer"),
        (
            "import sys; sys.argv = ['mesh', '--help']; import mesh.cli.main as m; m.build()",
            "email pyarrow pydantic",
        ),
        ("import mesh.codec.fast", "pandas polars confluent_kafka"),
    ],
)
def test_what_opens_fast_loads_nothing_heavy(statement: str, heavy: str) -> None:
    """Counted in modules: seconds depend on whatever else runs."""
    program = f"{statement}\nimport sys\nprint(*sorted(set({heavy.split()!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
