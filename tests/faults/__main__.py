"""A long round: `python -m tests.faults --seed 7 --kills 100 --report report.json`; `registry`: of that.

Prints a table of what was done and what was found, and the seed that does it again. The exit code is 1 when
something was found; the folder with the histories is then named, and stays.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from pathlib import Path

from mesh_platform.chaos.report import table
from tests.faults import load
from tests.faults.campaign import campaign
from tests.faults.nemesis import SCHEDULES
from tests.faults.registry.__main__ import main as registry


def main() -> int:
    """Run one campaign and say what came of it."""
    parser = argparse.ArgumentParser(prog="tests.faults")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--workers", nargs="+", choices=sorted(load.WORKERS), default=list(load.WORKERS))
    parser.add_argument("--report", type=Path)
    parser.add_argument("--folder", type=Path, help="where data and histories go; they stay there")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="mesh-faults-"))
    folder.mkdir(parents=True, exist_ok=True)
    kills = SCHEDULES.schedule(options.seed, options.kills)
    report = campaign(folder, seed=options.seed, kills=kills, workers=options.workers)
    print(table(report.rows()))
    if options.report:
        options.report.write_text(json.dumps(report.as_json(), indent=1) + "\n")
    for finding in report.findings[:20]:
        print(f"{finding.check}: {finding.what}")
    if report.findings:
        print(f"histories: {folder}")
        return 1
    if not options.folder:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(registry(sys.argv[2:]) if sys.argv[1:2] == ["registry"] else main())
