"""The source that `mesh model` writes passes the tools a team has: ruff and mypy, strictly."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from mesh.contract.reading import read_contract
from mesh.export.pydantic_model import model_source
from mesh.imports.document import Heading
from mesh.imports.pydantic import contract_of_model
from tests.conftest import unavailable
from tests.unit.shop_models import Order

ROOT = Path(__file__).parents[2]
RULES = "E,F,W,I,UP,B,RUF,N,A,PIE,RET,SIM,C4"


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models of all example contracts, and of one with every type there is."""
    folder = tmp_path_factory.mktemp("models")
    texts = [file.read_bytes() for file in sorted((ROOT / "contracts").rglob("*.odcs.yaml"))]
    texts.append(contract_of_model(Order, Heading(domain="shop", product="orders")).text.encode())
    for text in texts:
        contract = read_contract(text, "contract")
        (folder / f"{contract.id.replace('.', '_').replace('-', '_')}.py").write_text(model_source(contract))
    return folder


def installed(tool: str) -> None:
    """Beside this interpreter, whether or not the environment is on the PATH."""
    if find_spec(tool) is None:
        unavailable(f"{tool} is not installed")


def test_the_source_is_clean_and_formatted_for_ruff(sources: Path) -> None:
    installed("ruff")
    for arguments in (["check", "--select", RULES, "--ignore", "RUF001"], ["format", "--check", "--diff"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *arguments, "--isolated", "--no-cache", sources],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_source_is_clean_for_strict_mypy(sources: Path) -> None:
    installed("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(sources / "c")]
    done = subprocess.run([*command, sources], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
