"""Settings: DescribeConfigs, AlterConfigs, IncrementalAlterConfigs.

Behaviour
* Topic settings can be read and changed; the broker's own can be read (the few that mean something here),
  not changed.
* AlterConfigs replaces all of a topic's own settings; IncrementalAlterConfigs sets, deletes, and appends
  to or subtracts from lists. A resource twice in one request is INVALID_REQUEST; an unknown or bad
  setting is INVALID_CONFIG, and then nothing of that resource changes.
* validate_only checks and changes nothing.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from kio.schema.errors import ErrorCode

from mesh import limits
from mesh_platform.broker.node import NODE_ID, Node, Topic
from mesh_platform.broker.settings import KIND_NUMBER, SETTINGS, TopicConfig, refusal
from mesh_platform.broker.topics import Refused, check_spelling
from mesh_platform.broker.wire import Call

Answer = Mapping[str, Any]
_TOPIC, _BROKER = 2, 4
_DYNAMIC_TOPIC, _STATIC_BROKER, _DEFAULT = 1, 4, 5
_SET, _DELETE, _APPEND, _SUBTRACT = range(4)


async def describe_configs(node: Node, call: Call) -> Answer:
    """DescribeConfigs: of topics and of this broker."""
    wanted = {(resource.resource_type, resource.resource_name): resource for resource in call.body.resources}
    return {"results": [_describe(node, resource) for resource in wanted.values()]}


def _describe(node: Node, resource: Any) -> Answer:
    answer = {
        "error_code": ErrorCode.none,
        "error_message": None,
        "resource_type": resource.resource_type,
        "resource_name": resource.resource_name,
        "configs": [],
    }
    try:
        entries = _entries(node, resource)
    except Refused as refused:
        return answer | {"error_code": refused.code, "error_message": refused.message}
    keys = resource.configuration_keys
    return answer | {"configs": [e for e in entries if not keys or e["name"] in keys]}


def _entries(node: Node, resource: Any) -> list[Answer]:
    if resource.resource_type == _TOPIC:
        topic = _topic(node, resource.resource_name)
        return [_topic_entry(topic.config, name) for name in SETTINGS]
    if resource.resource_type == _BROKER:
        if resource.resource_name not in ("", str(NODE_ID)):
            raise Refused(ErrorCode.invalid_request, f"Unexpected broker id, expected {NODE_ID}.")
        return [_broker_entry(name, value) for name, value in _broker_settings(node).items()]
    raise Refused(ErrorCode.invalid_request, f"This broker has no resource of type {resource.resource_type}.")


def _topic(node: Node, name: str) -> Topic:
    if name not in node.topics:
        check_spelling(name)
        raise Refused(ErrorCode.unknown_topic_or_partition, f"Topic '{name}' does not exist.")
    return node.topics[name]


def _topic_entry(config: TopicConfig, name: str) -> Answer:
    setting, own = SETTINGS[name], name in config.own
    default = {"name": name, "value": setting.default, "source": _DEFAULT}
    return {
        "name": name,
        "value": config[name],
        "read_only": False,
        "config_source": _DYNAMIC_TOPIC if own else _DEFAULT,
        "is_sensitive": False,
        "config_type": KIND_NUMBER[setting.kind],
        "synonyms": [{"name": name, "value": config[name], "source": _DYNAMIC_TOPIC}, default]
        if own
        else [default],
        "documentation": None,
    }


def _broker_settings(node: Node) -> Mapping[str, str]:
    return {
        "auto.create.topics.enable": str(node.creates_topics).lower(),
        "broker.id": str(NODE_ID),
        "default.replication.factor": "1",
        "fetch.max.bytes": str(limits.FETCH_BYTES),
        "log.dirs": str(node.data),
        "message.max.bytes": SETTINGS["max.message.bytes"].default,
        "node.id": str(NODE_ID),
        "num.partitions": "1",
        "socket.request.max.bytes": str(limits.REQUEST_BYTES),
    }


def _broker_entry(name: str, value: str) -> Answer:
    return {
        "name": name,
        "value": value,
        "read_only": True,
        "config_source": _STATIC_BROKER,
        "is_sensitive": False,
        "config_type": KIND_NUMBER["string"],
        "synonyms": [{"name": name, "value": value, "source": _STATIC_BROKER}],
        "documentation": None,
    }


async def alter_configs(node: Node, call: Call) -> Answer:
    """AlterConfigs: all of a resource's own settings at once."""
    return _alter(node, call, lambda _, resource: {c.name: c.value for c in resource.configs})


async def incremental_alter_configs(node: Node, call: Call) -> Answer:
    """IncrementalAlterConfigs: single settings."""
    return _alter(node, call, _changed)


def _alter(node: Node, call: Call, change: Callable[[TopicConfig, Any], dict[str, str | None]]) -> Answer:
    answers = []
    counts = Counter((r.resource_type, r.resource_name) for r in call.body.resources)
    for resource in call.body.resources:
        answer = {
            "error_code": ErrorCode.none,
            "error_message": None,
            "resource_type": resource.resource_type,
            "resource_name": resource.resource_name,
        }
        try:
            if counts[resource.resource_type, resource.resource_name] > 1:
                raise Refused(ErrorCode.invalid_request, "Each resource must appear at most once.")
            if resource.resource_type != _TOPIC:
                raise Refused(
                    ErrorCode.invalid_request, "This broker's own settings cannot be changed while it runs."
                )
            topic = _topic(node, resource.resource_name)
            config = _checked(change(topic.config, resource))
            if not call.body.validate_only:
                node.configure_topic(topic, config)
        except Refused as refused:
            answer |= {"error_code": refused.code, "error_message": refused.message}
        except sqlite3.Error as error:
            answer |= {"error_code": ErrorCode.kafka_storage_error, "error_message": str(error)}
        answers.append(answer)
    return {"responses": answers}


def _checked(config: dict[str, str | None]) -> dict[str, str]:
    for name, value in config.items():
        if why := refusal(name, value):
            raise Refused(ErrorCode.invalid_config, why)
    return {name: value for name, value in config.items() if value is not None}


def _changed(config: TopicConfig, resource: Any) -> dict[str, str | None]:
    changed: dict[str, str | None] = dict(config.own)
    if len({c.name for c in resource.configs}) < len(resource.configs):
        raise Refused(ErrorCode.invalid_request, "Each setting must appear at most once.")
    for item in resource.configs:
        if item.name not in SETTINGS:
            raise Refused(ErrorCode.invalid_config, f"Unknown topic config name: {item.name}")
        if item.config_operation == _SET:
            changed[item.name] = item.value
        elif item.config_operation == _DELETE:
            changed.pop(item.name, None)
        elif item.config_operation in (_APPEND, _SUBTRACT) and SETTINGS[item.name].kind == "list":
            changed[item.name] = _edited(config[item.name], item)
        else:
            raise Refused(
                ErrorCode.invalid_config, f"Operation {item.config_operation} does not fit {item.name}."
            )
    return changed


def _edited(value: str, item: Any) -> str:
    parts = [part for part in value.split(",") if part]
    named = [part for part in (item.value or "").split(",") if part]
    if item.config_operation == _APPEND:
        return ",".join(parts + [part for part in named if part not in parts])
    return ",".join(part for part in parts if part not in named)
