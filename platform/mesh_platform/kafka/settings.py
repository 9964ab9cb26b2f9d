"""The settings of Kafka nodes as values: every node is broker and controller, all on loopback."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mesh_platform.processes import LOOPBACK


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a local cluster; ids count from 1."""

    id: int
    directory: Path
    port: int
    controller_port: int

    @property
    def address(self) -> str:
        """Where clients connect."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def properties_file(self) -> Path:
        """Where the node's settings are written at each start."""
        return self.directory / "server.properties"

    @property
    def log_dir(self) -> Path:
        """Where the node keeps its records."""
        return self.directory / "data"


def properties(node: Node, cluster: Sequence[Node]) -> str:
    """The node's `server.properties`.

    With three nodes, one may be lost without losing an acknowledged event or a writer (replication factor 3,
    two in sync); with one node there is one replica. Internal topics are small: this is for one machine.
    """
    replicas = min(3, len(cluster))
    in_sync = 2 if replicas == 3 else 1
    settings = {
        "process.roles": "broker,controller",
        "node.id": node.id,
        "controller.quorum.voters": ",".join(f"{n.id}@{LOOPBACK}:{n.controller_port}" for n in cluster),
        "listeners": f"PLAINTEXT://{node.address},CONTROLLER://{LOOPBACK}:{node.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{node.address}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": node.log_dir,
        # A topic exists because a contract was applied, never because a client asked for it.
        "auto.create.topics.enable": "false",
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "offsets.topic.num.partitions": 4,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.num.partitions": 4,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        # What a transaction left open holds up is let go when its time is over, not up to 10 s later.
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1_000,
        "share.coordinator.state.topic.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
        # The first member of a group need not wait for others that will not come.
        "group.initial.rebalance.delay.ms": 0,
        # A node that was killed is let back in when its old session has run out: 4 s instead of 9.
        "broker.session.timeout.ms": 4_000,
        "broker.heartbeat.interval.ms": 500,
        # A quarter of a small heap would go to a cleaner that has little to clean.
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())
