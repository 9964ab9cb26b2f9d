"""`datacontract lint`, which nobody here wrote, accepts the example contracts and what the imports write."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from mesh.imports.avro import contract_of_avro
from mesh.imports.document import Heading
from mesh.imports.pydantic import contract_of_model
from mesh.schema import parse_schema
from tests.conftest import unavailable
from tests.unit.shop_models import Order

ROOT = Path(__file__).parents[2]
HEADING = Heading(domain="shop", product="orders", owner="ada@example.org", key=("order_id",))
SCHEMA = """{"type": "record", "name": "Orders", "namespace": "shop", "aliases": ["Old"], "fields": [
    {"name": "order_id", "type": "string"},
    {"name": "u", "type": ["null", "int", "string"], "default": null, "x": {"y": [null]}},
    {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["A"], "default": "A"}}]}"""
#: One process for all: importing the tool takes longer than any of its checks.
LINT = """
import json, sys
from datacontract.data_contract import DataContract
runs = {file: DataContract(data_contract_file=file).lint() for file in sys.argv[1:]}
print(json.dumps({f: [r.result.value, *[c.reason for c in r.checks if c.reason]] for f, r in runs.items()}))
"""


def test_every_contract_passes_datacontract_lint(tmp_path: Path) -> None:
    if find_spec("datacontract") is None:
        unavailable("datacontract-cli is not installed")
    (tmp_path / "pydantic.odcs.yaml").write_text(contract_of_model(Order, HEADING).text)
    imported = contract_of_avro(parse_schema(SCHEMA), HEADING, "orders.avsc")
    (tmp_path / "avro.odcs.yaml").write_text(imported.text)
    files = [*sorted((ROOT / "contracts").rglob("*.odcs.yaml")), *sorted(tmp_path.glob("*.odcs.yaml"))]
    done = subprocess.run(
        [sys.executable, "-c", LINT, *map(str, files)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    verdicts = json.loads(done.stdout.splitlines()[-1])
    assert len(verdicts) == len(files)
    assert {file: found for file, found in verdicts.items() if found[0] != "passed"} == {}
