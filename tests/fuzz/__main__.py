"""The long run: `python -m tests.fuzz --requests 10000 --seed 7`; a table, and 1 on findings.

Of the broker; `python -m tests.fuzz registry` is that of the registry.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from mesh_platform.broker.versions import ADVERTISED
from tests.fuzz.campaign import Tally, attack, resident, sockets
from tests.fuzz.healthy import Healthy
from tests.fuzz.registry.__main__ import main as registry
from tests.unit.broker_kit import broker

_MIB = 1 << 20
_KINDS = ("answered", "refused", "hung up", "silent")


def main() -> int:
    """Attack with every family, or with those named, and say what came of it."""
    parser = argparse.ArgumentParser(prog="tests.fuzz")
    parser.add_argument("--requests", type=int, default=10_000, help="per family")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--keys", type=int, nargs="+", default=sorted(ADVERTISED), help="api keys")
    parser.add_argument("--folder", type=Path, help="where the broker's data and journal go; they stay there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mesh-fuzz-") as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        wrong = _campaign(folder, options.keys, options.requests, options.seed)
    for line in wrong[:40]:
        print(line)
    return 1 if wrong else 0


def _campaign(folder: Path, keys: Sequence[int], requests: int, seed: int) -> list[str]:
    print(f"seed {seed}, {requests} requests per family")
    print(
        f"{'family':<24}{'requests':>9}"
        + "".join(f"{kind:>10}" for kind in _KINDS)
        + f"{'RSS MiB':>14}{'slowest':>11}"
    )
    wrong: list[str] = []
    with broker(folder / "data") as process:
        first = resident(process)
        with Healthy(process.bootstrap) as healthy:
            open_at_first = sockets(process)
            for key in keys:
                tally = attack(process, key, requests=requests, seed=seed)
                print(f"{_row(tally)}{healthy.take_slowest():>9.2f} s", flush=True)
                wrong += tally.wrong
            open_at_last = sockets(process)
        print(f"memory {first // _MIB} -> {resident(process) // _MIB} MiB")
        print(f"sockets {open_at_first} -> {open_at_last}")
        print(f"healthy: {len(healthy.sent)} sent, {len(healthy.seen)} seen, errors {healthy.errors[:3]}")
        if healthy.seen != healthy.sent or process.popen.poll() is not None:
            wrong.append("the healthy client was disturbed, or the broker is gone")
        failed = [line for line in (folder / "data.stderr").read_text().splitlines() if '"failed"' in line]
        return wrong + sorted(set(failed))


def _row(tally: Tally) -> str:
    counts = "".join(f"{tally.told[kind]:>10}" for kind in _KINDS)
    memory = f"{tally.before // _MIB} -> {tally.after // _MIB}"
    return f"{tally.family:<24}{tally.told.total():>9}{counts}{memory:>14}"


if __name__ == "__main__":
    sys.exit(registry(sys.argv[2:]) if sys.argv[1:2] == ["registry"] else main())
