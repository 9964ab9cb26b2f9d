"""The long run: `python -m tests.fuzz registry --requests 10000 --seed 7`; a table, and 1 on findings."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.faults.registry.nemesis import platforms
from tests.fuzz.registry.campaign import attack

_MIB = 1 << 20


def main(arguments: Sequence[str]) -> int:
    """Attack a platform and say what came of it."""
    parser = argparse.ArgumentParser(prog="tests.fuzz registry")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="mesh-fuzz-") as scratch:
        folder = Path(scratch)
        with platforms(folder) as (platform,):
            tally = attack(platform, folder, requests=options.requests, seed=options.seed)
    print(f"seed {options.seed}, {tally.told.total()} requests")
    for told, count in sorted(tally.told.items()):
        print(f"  {told:<10}{count:>8,}")
    memory = ", ".join(f"{size // _MIB}" for size in tally.memory)
    print(f"memory after each tenth part: {memory} MiB; slowest answer {tally.slowest:.2f} s")
    for line in tally.wrong[:20]:
        print(line)
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
