"""What a broker is started with, and the arguments of its process."""

from __future__ import annotations

import argparse
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mesh.errors import PlanError
from mesh_platform.broker.node import Durability
from mesh_platform.broker.sizes import size

LOOPBACK = "127.0.0.1"
FSYNC_MS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """One broker on one data folder."""

    data: Path
    host: str = LOOPBACK
    port: int = 0
    fsync: Durability = "os"
    fsync_ms: int = FSYNC_MS
    max_disk: int | None = None
    metrics_port: int | None = None
    creates_topics: bool = False
    allow_remote: bool = False
    exit_with_parent: bool = False

    @property
    def is_remote(self) -> bool:
        """Whether other machines may reach it."""
        try:
            return not ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host != "localhost"

    def check(self) -> None:
        """Refuse what must be meant. Raises PlanError."""
        if self.is_remote and not self.allow_remote:
            raise PlanError(
                f"{self.host} is beyond this machine, and this broker has no authentication",
                code="MESH-P104",
                where=self.host,
                why="whoever reaches the port may read, write and delete everything",
                fix="serve on 127.0.0.1, or add --allow-remote on a network that you trust",
            )


def positive(text: str) -> int:
    """A number above 0. Raises ValueError."""
    if int(text) < 1:
        raise ValueError(text)
    return int(text)


def read(arguments: Sequence[str]) -> Options:
    """The options of `python -m mesh_platform.broker`; exits with 2 when they make no sense."""
    parser = argparse.ArgumentParser(
        prog="mesh_platform.broker", description="One Kafka node in one process."
    )
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the events")
    parser.add_argument("--host", default=LOOPBACK, help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument(
        "--fsync", choices=("os", "always", "interval"), default="os", help="when a write counts as done"
    )
    parser.add_argument(
        "--fsync-ms", type=positive, default=FSYNC_MS, help="the interval of --fsync interval"
    )
    parser.add_argument("--max-disk", type=size, help="refuse writes beyond this size, such as 20GiB")
    parser.add_argument("--metrics-port", type=int, help="serve Prometheus metrics on this loopback port")
    parser.add_argument(
        "--auto-create-topics",
        action="store_true",
        dest="creates_topics",
        help="create a topic when a client names it",
    )
    parser.add_argument("--allow-remote", action="store_true", help="serve beyond loopback, open to everyone")
    parser.add_argument("--exit-with-parent", action="store_true", help="stop when stdin ends")
    return Options(**vars(parser.parse_args(arguments)))
