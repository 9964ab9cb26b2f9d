"""A local Kafka cluster: settings written, storage formatted, nodes ready to be launched."""

from __future__ import annotations

import base64
import contextlib
import os
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4

from mesh.errors import UnreachableError, UsageError
from mesh_platform.kafka.jars import classpath
from mesh_platform.kafka.java import find_java
from mesh_platform.kafka.settings import Node, properties
from mesh_platform.processes import ManagedProcess, Program, answers, claim, free_ports, supervised

HEAP = "-Xmx512m"
#: for a tool that lives a second: half the work is saved when nothing is optimised and one thread collects
BRIEF = ("-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
LOG_SETTINGS = Path(__file__).with_name("log4j2.xml")
_READY_SECONDS = 60.0
_GRACE_SECONDS = 15.0


def prepare(state_dir: Path, count: int, port: int | None = None) -> tuple[ManagedProcess[str], ...]:
    """The nodes of a cluster, not yet launched; each one's `ready` value is its address.

    A cluster of one and a cluster of three keep their records apart. Raises UsageError (MESH-U050) for other
    sizes, UnreachableError without Java (MESH-X020, X021), Kafka's jars (X022, X023) or storage (X024).
    """
    if count not in (1, 3):
        raise UsageError(
            f"a local Kafka cluster has 1 or 3 nodes, not {count}",
            code="MESH-U050",
            why="two nodes tolerate no more failures than one",
            fix="mesh up --broker kafka --nodes 3",
        )
    java = find_java()
    env = {"CLASSPATH": classpath()}
    directory = state_dir / f"kafka-{count}"
    cluster = _layout(directory, count, port)
    for node in cluster:
        node.directory.mkdir(parents=True, exist_ok=True)
        node.properties_file.write_text(properties(node, cluster))
    cluster_id = next(_cluster_ids(cluster), None) or _new_cluster_id()
    _format(java, env, cluster, cluster_id)
    return tuple(_process(java, env, node, cluster_id) for node in cluster)


def _layout(directory: Path, count: int, port: int | None) -> list[Node]:
    ports = free_ports(2 * count)
    if port is not None:
        ports[0] = claim(port)
    return [Node(n + 1, directory / f"node-{n + 1}", ports[n], ports[count + n]) for n in range(count)]


def _process(java: str, env: dict[str, str], node: Node, cluster_id: str) -> ManagedProcess[str]:
    argv = [java, HEAP, "-Djava.awt.headless=true", f"-Dlog4j2.configurationFile={LOG_SETTINGS.as_uri()}"]
    # Kafka's own name for more options of its virtual machine.
    argv += [*shlex.split(os.environ.get("KAFKA_OPTS", "")), "kafka.Kafka", str(node.properties_file)]
    # Kafka's own lock comes after it has opened the metadata log, which two processes would tear.
    command = supervised(argv, lock=node.directory / "lock")
    program = Program(name=f"kafka-{node.id}", argv=command, state_dir=node.directory, env=env)

    def serves(_: Program) -> str | None:
        return node.address if answers(node.port) and _is_member(node, cluster_id) else None

    return ManagedProcess(program, serves, ready_within=_READY_SECONDS, grace=_GRACE_SECONDS)


def _is_member(node: Node, cluster_id: str) -> bool:
    """Whether the node answers a Metadata request, as a broker of this cluster and no other."""
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    client = AdminClient({"bootstrap.servers": node.address, "log_level": 0, "socket.timeout.ms": 2_000})
    try:
        metadata = client.list_topics(timeout=2)
    except KafkaException:
        return False
    return metadata.cluster_id == cluster_id and node.id in metadata.brokers


def _format(java: str, env: dict[str, str], cluster: Sequence[Node], cluster_id: str) -> None:
    """Format the storage of the nodes that have none, all at once."""
    tool = [java, *BRIEF, f"-Dlog4j2.configurationFile={LOG_SETTINGS.as_uri()}"]
    tool += ["kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}", "--config"]
    with contextlib.ExitStack() as stack:
        running = [
            stack.enter_context(_run([*tool, str(node.properties_file)], env))
            for node in cluster
            if not _meta(node).is_file()
        ]
        for child in running:
            said, _ = child.communicate()
            if child.returncode:
                raise UnreachableError(
                    f"Kafka's storage cannot be formatted (exit code {child.returncode})",
                    code="MESH-X024",
                    where=str(cluster[0].directory.parent),
                    why=said.strip(),
                    fix=f"ls -la {cluster[0].directory.parent}",
                )


def _run(argv: Sequence[str], env: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **env},
    )


def _meta(node: Node) -> Path:
    return node.log_dir / "meta.properties"


def _cluster_ids(cluster: Sequence[Node]) -> Iterator[str]:
    for node in filter(lambda node: _meta(node).is_file(), cluster):
        for line in _meta(node).read_text().splitlines():
            if line.startswith("cluster.id="):
                yield line.removeprefix("cluster.id=")


def _new_cluster_id() -> str:
    """22 characters of base64url, which is how Kafka writes a UUID."""
    return base64.urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")
