"""Names on Kafka, spelled in one place (architecture §4).

Topic `<domain>.<product>[.<port>].v<major>`: dots between parts, hyphens inside, no underscore
(Kafka's metrics confuse `.` and `_`). The owner comes first, so access rules are prefixes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mesh.errors import UsageError

SLUG = re.compile(r"[a-z][a-z0-9-]{1,62}\Z")
_TOPIC = re.compile(
    r"(?P<domain>[a-z][a-z0-9-]{1,62})\.(?P<product>[a-z][a-z0-9-]{1,62})"
    r"(?:\.(?P<port>[a-z][a-z0-9-]{1,62}))?\.v(?P<major>0|[1-9][0-9]{0,4})\Z"
)
DEAD_LETTER_SUFFIX = ".dlq"
REPLAYS_SUFFIX = ".replays"
_TOPIC_LENGTH = 249
_KAFKA = re.compile(r"[a-zA-Z0-9._-]+\Z")
VALUE_SUFFIX = "-value"


@dataclass(frozen=True, slots=True)
class TopicName:
    """A product's topic, taken apart."""

    domain: str
    product: str
    major: int
    port: str | None = None

    def __str__(self) -> str:
        port = f".{self.port}" if self.port else ""
        return f"{self.domain}.{self.product}{port}.v{self.major}"

    @property
    def product_name(self) -> str:
        """`<domain>.<product>`: how people name a product."""
        return f"{self.domain}.{self.product}"


def parse_topic(text: str) -> TopicName:
    """Take a topic name apart; raises UsageError when it is not one of the mesh's."""
    match = _TOPIC.match(text)
    if match is None:
        raise UsageError(
            f"{text!r} is not a topic name of the mesh",
            code="MESH-U010",
            why="a topic is <domain>.<product>[.<port>].v<major>, lower case, hyphens inside parts",
        )
    return TopicName(match["domain"], match["product"], int(match["major"]), match["port"])


def is_slug(text: str) -> bool:
    """Whether `text` may be a domain, product or port name."""
    return SLUG.match(text) is not None


def value_subject(topic: str) -> str:
    """The registry subject of a topic's values."""
    return f"{topic}{VALUE_SUFFIX}"


def dead_letter_topic(topic: str) -> str:
    """Where a topic's undeliverable events go."""
    return f"{topic}{DEAD_LETTER_SUFFIX}"


def replays_topic(topic: str) -> str:
    """Where it is kept which dead letters of a topic went back onto it."""
    return f"{dead_letter_topic(topic)}{REPLAYS_SUFFIX}"


def retry_topic(group: str, topic: str) -> str:
    """Where events of a topic wait for a group to try them again; the reader comes first, because it owns it.

    Raises UsageError (MESH-U170) for a group whose name no topic can carry.
    """
    name = f"{group}.retry.{topic}"
    if len(name) > _TOPIC_LENGTH or _KAFKA.match(name) is None:
        raise UsageError(
            f"the group {group!r} cannot have a retry topic",
            code="MESH-U170",
            why=f"its topic would be {name!r}: letters, digits, dots and hyphens, {_TOPIC_LENGTH} at most",
            fix="name the group <domain>.<application>",
        )
    return name


def principal(domain: str) -> str:
    """Who a domain's programs sign in as, where the cluster knows who asks."""
    return f"User:{domain}"


def consumer_group(domain: str, application: str) -> str:
    """The group a domain's application reads with."""
    return f"{domain}.{application}"


def avro_fullname(domain: str, product: str) -> str:
    """The Avro record name of a product: namespace `<domain>`, name in CamelCase."""
    name = "".join(part[:1].upper() + part[1:] for part in re.split(r"[-.]", product))
    return f"{domain.replace('-', '_')}.{name}"
