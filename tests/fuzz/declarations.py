"""Spoiled contracts, products and Avro schemas: diagnostics or success, quickly, in bounded memory.

    python -m tests.fuzz.declarations --cases 10000 --seed 7

The work is done by a process of its own with limits on its memory and time, so that a crash of a parser
is seen as a finding. A case that fails is written out with the seed that made it.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mesh.compatibility import Level, check
from mesh.contract.record_rules import record_rules
from mesh.declaration import SourceFile, declare
from mesh.errors import Finding, Location, SchemaError
from mesh.schema import parse_schema
from tests.fuzz.spoiling import Good, companions, corpus, spoiled

MEMORY = 2 << 30
SLOW = 1.0
GROWTH = 32 << 20  #: of memory in the second half, when the caches are full


def taken(good: Good, raw: bytes, beside: Sequence[Good]) -> str:
    """What became of a case; raises AssertionError for an answer that is none."""
    if good.kind == "schema":
        return _schema(good, raw)
    sources = [SourceFile(good.name, raw)]
    sources += [SourceFile(other.name, other.text.encode()) for other in beside]
    found = declare(sources)
    for contract in found.contracts.values():
        record_rules(contract)
    for finding in found.findings:
        _complete(finding, [source.name for source in sources])
    return "accepted" if found.holds else "refused"


def _complete(finding: Finding, files: list[str]) -> None:
    assert finding.code.startswith("MESH-"), finding
    assert finding.message, finding
    assert finding.why, finding
    assert finding.fix, finding
    file = finding.where.file if isinstance(finding.where, Location) else str(finding.where)
    assert file in files, finding


def _schema(good: Good, raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return "refused"
    try:
        new = parse_schema(text)
    except SchemaError as error:
        named = error.error_code.startswith("MESH-A") and error.what
        return "refused" if named else f"refused without a reason: {error!r}"
    for problem in check(new, [parse_schema(good.text)], Level.FULL_TRANSITIVE):
        assert problem.message, problem
    return "accepted"


def campaign(cases: int, seed: int, last: Path) -> dict[str, Any]:
    """Try so many cases; the case under way stands in the file `last`."""
    good = corpus()
    told: Counter[str] = Counter()
    wrong: list[str] = []
    slowest, first = (0.0, ""), 0
    for number in range(cases):
        dice = random.Random(f"{seed}/{number}")
        chosen = dice.choice(good)
        raw = spoiled(dice, chosen)
        last.write_bytes(json.dumps([seed, number, chosen.name]).encode() + b"\n" + raw)
        started = time.process_time()
        try:
            told[f"{chosen.kind} {taken(chosen, raw, companions(chosen, good))}"] += 1
        except Exception as error:
            wrong.append(f"case {number}, {chosen.name}: {error!r}"[:600])
        took = time.process_time() - started
        slowest = max(slowest, (round(took, 3), f"s, case {number} of {chosen.name}"))
        if took > SLOW:
            wrong.append(f"case {number}, {chosen.name}: took {took:.2f} s")
        if number == cases // 2:
            first = _resident()
    grown = _resident() - first
    if grown > GROWTH:
        wrong.append(f"memory grew by {grown >> 20} MiB")
    return {
        "told": told,
        "wrong": wrong,
        "slowest": f"{slowest[0]} {slowest[1]}",
        "grown": grown,
        "memory": _resident(),
    }


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def run(cases: int, seed: int) -> dict[str, Any]:
    """The campaign in a process with limits; a death of that process is a finding of its own."""
    with tempfile.TemporaryDirectory(prefix="mesh-fuzz-") as folder:
        last = Path(folder) / "case"
        command = [
            sys.executable,
            "-m",
            __spec__.name,
            "--cases",
            str(cases),
            "--seed",
            str(seed),
            "--here",
            str(last),
        ]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode == 0:
            answer: dict[str, Any] = json.loads(done.stdout)
            return answer
        said = last.read_bytes()[:400] if last.exists() else b""
        return {"wrong": [f"the process ended with {done.returncode}: {done.stderr[-800:]}", repr(said)]}


def main() -> int:
    """Try the cases and print what came of them."""
    parser = argparse.ArgumentParser(prog="tests.fuzz.declarations")
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--here", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (60 + options.cases // 4,) * 2)
        print(json.dumps(campaign(options.cases, options.seed, options.here)))
        return 0
    found = run(options.cases, options.seed)
    print(f"seed {options.seed}, {options.cases} cases")
    for kind, count in sorted(found.get("told", {}).items()):
        print(f"{count:>8} {kind}")
    if "slowest" in found:
        memory, grown = found["memory"] >> 20, found["grown"] / 2**20
        print(f"slowest {found['slowest']}; memory {memory} MiB, grown by {grown:.1f} MiB in the second half")
    for line in found["wrong"][:40]:
        print(line)
    return 1 if found["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
