"""`make bench`, or some of it: `python -m tests.bench data-plane registry`.

Every group is one run of its own: what its table compares was measured in turns.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench.broker import against_kafka
from tests.bench.latency import latency
from tests.bench.measuring import Figure, keep, table
from tests.bench.memory import memory
from tests.bench.peers.running import ROOT
from tests.bench.pipelines import pipelining
from tests.bench.plans import plans
from tests.bench.publishing import publishing
from tests.bench.registry import registry
from tests.bench.retained import retained
from tests.bench.scene import scene
from tests.bench.starting import starting
from tests.bench.subscribing import subscribing


def data_plane(state: Path) -> list[Figure]:
    """What a domain team and a consumer touch every day."""
    with scene(state) as found:
        figures = [*publishing(found), *subscribing(found), *pipelining(found)]
        return [*figures, *latency(found.mesh), *memory(found)]


GROUPS: dict[str, Callable[[Path], list[Figure]]] = {
    "data-plane": data_plane,
    "starts": starting,
    "plans": plans,
    "registry": registry,
    "brokers": lambda _state: against_kafka(),
    "retained": lambda _state: retained(10),
}
#: what takes 20 GB of disk is measured only when it is asked for
USUAL = tuple(name for name in GROUPS if name != "retained")


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.bench", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}")
    groups = parser.parse_args().groups or USUAL
    if unknown := set(groups) - set(GROUPS):
        parser.error(f"there is no group {', '.join(sorted(unknown))}")
    for group in groups:
        with tempfile.TemporaryDirectory() as folder:
            figures = GROUPS[group](Path(folder) / "state")
        print(f"\n{group}\n\n{table(figures)}", flush=True)
        keep(group, figures, ROOT)


if __name__ == "__main__":
    main()
