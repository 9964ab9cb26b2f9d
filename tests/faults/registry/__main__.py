"""The whole campaign on the registry: `python -m tests.faults registry --kills 200 --rounds 100 --seed 7`.

First races, then kills; with `--processes 3`, of three processes on one Apache Kafka log. Prints a table of
what was done and what was found, and the seed that does it again. The exit code is 1 when something was
found; the folder with the histories is then named, and stays.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from mesh_platform.brokers import start_kafka
from mesh_platform.chaos.report import Finding, table
from tests.faults.registry import load
from tests.faults.registry.campaign import campaign
from tests.faults.registry.nemesis import SCHEDULES, Log, platforms
from tests.faults.registry.races import Races, race


def main(arguments: Sequence[str]) -> int:
    """Run one campaign and say what came of it."""
    parser = argparse.ArgumentParser(prog="tests.faults registry")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=100, help="of races; 0: none")
    parser.add_argument("--clients", type=int, default=64, help="that race")
    parser.add_argument("--processes", type=int, default=1, help="more than one share an Apache Kafka log")
    parser.add_argument("--actors", nargs="+", choices=sorted(load.ACTORS), default=list(load.ACTORS))
    parser.add_argument("--report", type=Path)
    parser.add_argument("--folder", type=Path, help="where state and histories go; they stay there")
    options = parser.parse_args(arguments)
    folder = options.folder or Path(tempfile.mkdtemp(prefix="mesh-faults-"))
    with ExitStack() as stack:
        log = Log()
        if options.processes > 1:
            log = Log(stack.enter_context(start_kafka(_made(folder / "broker"))).bootstrap)
        findings, report = _run(folder, options, log)
    if options.report:
        options.report.write_text(json.dumps(report, indent=1) + "\n")
    for finding in findings[:20]:
        print(f"{finding.check}: {finding.what[:300]}")
    if findings:
        print(f"histories: {folder}")
        return 1
    if not options.folder:
        shutil.rmtree(folder)
    return 0


def _run(folder: Path, options: argparse.Namespace, log: Log) -> tuple[list[Finding], dict[str, Any]]:
    findings, said = [], {}
    processes = options.processes
    if options.rounds:
        place = _made(folder / "races")
        with platforms(place, processes, log=log) as running:
            races = race(place, running, clients=options.clients, rivals=options.rounds)
        print(_raced(races, options.clients), flush=True)
        findings += races.findings + races.wrong()
        said["races"] = races.as_json()
    if options.kills:
        kills = SCHEDULES.schedule(options.seed, options.kills)
        place, actors = _made(folder / "kills"), tuple(options.actors)
        log = Log(log.bootstrap)
        report = campaign(place, seed=options.seed, kills=kills, actors=actors, nodes=processes, log=log)
        print(table(report.rows()))
        findings += report.findings
        said["kills"] = report.as_json()
    return findings, said


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _raced(races: Races, clients: int) -> str:
    rows = [
        (f"rounds of {clients} rivals", f"{len(races.winners)}"),
        ("  with one winner", f"{races.winners.count(1)}"),
        *((f"  refused with {status}", f"{count:,}") for status, count in sorted(races.refusals.items())),
        (f"rounds of {clients} twins", f"{len(races.ids)}"),
        ("  with one id", f"{races.ids.count(1)}"),
        ("findings", f"{len(races.findings) + len(races.wrong())}"),
    ]
    return table(rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
