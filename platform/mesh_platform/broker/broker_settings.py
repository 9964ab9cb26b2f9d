"""The broker's own settings by the names that Kafka gives them: what DescribeConfigs tells of this node."""

from __future__ import annotations

from collections.abc import Mapping

from mesh import limits
from mesh_platform.broker.node import NODE_ID, Node
from mesh_platform.broker.rebalance import INITIAL_DELAY_SECONDS
from mesh_platform.broker.settings import SETTINGS, Kind

Row = tuple[str, Kind, str]


def broker_settings(node: Node) -> Mapping[str, Row]:
    """Value, kind and meaning by name; none of them can be changed while the broker runs."""
    shortest, longest = limits.GROUP_SESSION_MS
    numbers = {
        "broker.id": (NODE_ID, "The one node."),
        "default.replication.factor": (1, "There is one node."),
        "fetch.max.bytes": (limits.FETCH_BYTES, "The most that one Fetch is answered with."),
        "group.initial.rebalance.delay.ms": (
            int(INITIAL_DELAY_SECONDS * 1000),
            "The first members of a group are waited for this long.",
        ),
        "group.max.session.timeout.ms": (longest, "A longer session is refused."),
        "group.max.size": (limits.GROUP_MEMBERS, "One member more is refused."),
        "group.min.session.timeout.ms": (shortest, "A shorter session is refused."),
        "max.connections": (limits.CONNECTIONS, "One connection more is closed."),
        "node.id": (NODE_ID, "The one node."),
        "num.partitions": (1, "Partitions of a topic that does not say how many."),
        "offset.metadata.max.bytes": (
            limits.COMMIT_METADATA_BYTES,
            "Longer metadata of a commit is refused.",
        ),
        "offsets.retention.minutes": (
            limits.OFFSETS_RETENTION_MS // 60_000,
            "A group without members is forgotten after this long.",
        ),
        "producer.id.expiration.ms": (limits.PRODUCER_EXPIRES_MS, "A producer that is silent is forgotten."),
        "socket.request.max.bytes": (limits.REQUEST_BYTES, "A longer request closes its connection."),
        "transaction.max.timeout.ms": (limits.TRANSACTION_MS, "A longer transaction time-out is refused."),
        "transactional.id.expiration.ms": (
            limits.TRANSACTIONAL_ID_EXPIRES_MS,
            "A transactional id that is not used is forgotten.",
        ),
    }
    creates = "Whether a topic is created when a client names it."
    return {
        "auto.create.topics.enable": (str(node.creates_topics).lower(), "boolean", creates),
        "log.dirs": (str(node.data), "list", "The folder that holds everything."),
        "message.max.bytes": (SETTINGS["max.message.bytes"].default, "int", "For topics that do not say."),
        **{name: (str(value), "int", says) for name, (value, says) in numbers.items()},
    }
