"""A contract as an AsyncAPI 3.1.0 document with Kafka bindings 0.5.0: channel, message, operations.

The payload is the Avro schema as it is registered; the headers are CloudEvents 1.0 in binary mode.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh import naming
from mesh.contract.avro import avro_schema
from mesh.contract.model import Contract
from mesh.contract.yaml import plain, read
from mesh.event.envelope import AVRO
from mesh.export.json_schema import property_schema

_BINDING: Final = "0.5.0"
#: The literal that AsyncAPI's own schema knows; later versions of Avro say the same in it.
_AVRO_FORMAT: Final = "application/vnd.apache.avro+json;version=1.9.0"
_VARIABLE = re.compile(r"\$\{([A-Za-z0-9_]+)(?::-([^}]*))?\}")
_SERVER = re.compile(r"[^A-Za-z0-9_-]+")

Tree = dict[str, Any]


def asyncapi(contract: Contract) -> Tree:
    """The AsyncAPI document of one contract."""
    channel = {"$ref": f"#/channels/{contract.id}"}
    message = {"$ref": f"#/channels/{contract.id}/messages/event"}
    servers = dict(_servers(contract))
    document: Tree = {"asyncapi": "3.1.0", "info": _info(contract), "defaultContentType": AVRO}
    if servers:
        document["servers"] = servers
    document["channels"] = {contract.id: _channel(contract)}
    document["operations"] = {
        "publish": {
            "action": "send",
            "channel": channel,
            "messages": [message],
            "summary": f"The domain {contract.domain} publishes events.",
        },
        "subscribe": {
            "action": "receive",
            "channel": channel,
            "messages": [message],
            "summary": "Consumers subscribe, each group with a position of its own.",
            "bindings": {"kafka": {"groupId": {"type": "string"}, "bindingVersion": _BINDING}},
        },
    }
    return document


def _info(contract: Contract) -> Tree:
    parts = (contract.purpose, contract.usage, contract.limitations)
    info: Tree = {"title": contract.name, "version": str(contract.version)}
    description = "\n\n".join(" ".join(part.split()) for part in parts if part)
    if description:
        info["description"] = description
    contact = {"name": contract.team_name} if contract.team_name else {}
    for entry in contract.support:
        url = str(entry.get("url", ""))
        if url.startswith(("https://", "http://", "mailto:")):
            contact["url"] = url
            break
    if contact:
        info["contact"] = contact
    if contract.tags:
        info["tags"] = [{"name": tag} for tag in dict.fromkeys(contract.tags)]
    return info


def _servers(contract: Contract) -> Iterator[tuple[str, Tree]]:
    # As written, variables and all: a document must not depend on where it was made.
    written = plain(read(contract.document.text.encode(), contract.document.file).data)
    for entry in written.get("servers", ()):
        if entry.get("type") != "kafka" or not entry.get("host"):
            continue
        host = str(entry["host"])
        server: Tree = {"host": _VARIABLE.sub(r"{\1}", host), "protocol": "kafka"}
        found = _VARIABLE.findall(host)
        variables = {name: {"default": default} if default else {} for name, default in found}
        if variables:
            server["variables"] = variables
        if entry.get("description"):
            server["description"] = str(entry["description"])
        server["bindings"] = {"kafka": {"schemaRegistryVendor": "confluent", "bindingVersion": _BINDING}}
        yield _SERVER.sub("-", str(entry["server"])) or "kafka", server


def _channel(contract: Contract) -> Tree:
    settings = contract.settings
    return {
        "address": contract.topic,
        "title": contract.name,
        "messages": {"event": _message(contract)},
        "bindings": {
            "kafka": {
                "topic": contract.topic,
                "partitions": settings.partitions,
                "topicConfiguration": {
                    "cleanup.policy": settings.cleanup_policy.split(","),
                    "retention.ms": settings.retention_ms,
                },
                "bindingVersion": _BINDING,
            }
        },
    }


def _message(contract: Contract) -> Tree:
    schema = avro_schema(contract)
    kafka: Tree = {
        "schemaIdLocation": "payload",
        "schemaIdPayloadEncoding": "confluent",
        "schemaLookupStrategy": "TopicNameStrategy",
        "bindingVersion": _BINDING,
    }
    if contract.key:
        kafka["key"] = _key(contract)
    return {
        "name": schema.fullname,
        "title": contract.name,
        "summary": f"Registered as {naming.value_subject(contract.topic)}.",
        "contentType": AVRO,
        "headers": _headers(contract),
        "payload": {"schemaFormat": _AVRO_FORMAT, "schema": schema.tree},
        "bindings": {"kafka": kafka},
    }


def _key(contract: Contract) -> Tree:
    if len(contract.key) == 1:
        prop = contract.property(contract.key[0])
        if prop is not None and prop.logical_type == "string":
            return property_schema(prop)
        return {"type": "string", "description": f"The text of {contract.key[0]}."}
    parts = ", ".join(contract.key)
    return {"type": "string", "description": f"A JSON array (RFC 8785) of the texts of {parts}."}


def _headers(contract: Contract) -> Tree:
    text: Mapping[str, str] = {"type": "string"}
    return {
        "type": "object",
        "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "content-type"],
        "properties": {
            "ce_specversion": {"type": "string", "const": "1.0"},
            "ce_id": {**text, "description": "Identifies the event; survives retries."},
            "ce_source": {"type": "string", "const": f"/{contract.domain}/{contract.topic}"},
            "ce_type": {"type": "string", "const": contract.topic},
            "ce_time": {"type": "string", "format": "date-time", "description": "When it happened."},
            "content-type": {"type": "string", "const": AVRO},
        },
    }
