"""Settings: DescribeConfigs, AlterConfigs, IncrementalAlterConfigs, ListConfigResources.

Behaviour
* Topic settings can be read and changed; the broker's own can be read (the few that mean something here),
  not changed. There are no settings of loggers and of groups: INVALID_REQUEST.
* Synonyms and documentation are told to whoever asks for them.
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

from mesh_platform.broker.broker_settings import broker_settings
from mesh_platform.broker.node import NODE_ID, Node, Topic
from mesh_platform.broker.settings import KIND_NUMBER, SETTINGS, Kind, TopicConfig, refusal
from mesh_platform.broker.topics import Refused, check_spelling
from mesh_platform.broker.wire import Call

Answer = Mapping[str, Any]
_TOPIC, _BROKER = 2, 4
_DYNAMIC_TOPIC, _STATIC_BROKER, _DEFAULT = 1, 4, 5
_SET, _DELETE, _APPEND, _SUBTRACT = range(4)
_CLIENT_METRICS, _ANY = 16, (_TOPIC, _BROKER)


async def describe_configs(node: Node, call: Call) -> Answer:
    """DescribeConfigs: of topics and of this broker."""
    wanted = {(resource.resource_type, resource.resource_name): resource for resource in call.body.resources}
    return {"results": [_describe(node, resource, call.body) for resource in wanted.values()]}


def _describe(node: Node, resource: Any, body: Any) -> Answer:
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
    unasked: dict[str, Any] = {} if body.include_synonyms else {"synonyms": []}
    unasked |= {} if getattr(body, "include_documentation", False) else {"documentation": None}
    return answer | {"configs": [e | unasked for e in entries if not keys or e["name"] in keys]}


def _entries(node: Node, resource: Any) -> list[dict[str, Any]]:
    if resource.resource_type == _TOPIC:
        topic = _topic(node, resource.resource_name)
        return [_topic_entry(topic.config, name) for name in SETTINGS]
    if resource.resource_type == _BROKER:
        if not resource.resource_name:
            return []  # what all brokers have in common; nothing was set for all
        if resource.resource_name != str(NODE_ID):
            raise Refused(ErrorCode.invalid_request, f"Unexpected broker id, expected {NODE_ID}.")
        return [_broker_entry(name, *row) for name, row in broker_settings(node).items()]
    if resource.resource_type == _CLIENT_METRICS and resource.resource_name:
        return []
    raise Refused(ErrorCode.invalid_request, f"This broker has no resource of type {resource.resource_type}.")


def _topic(node: Node, name: str) -> Topic:
    if name not in node.topics:
        check_spelling(name)
        raise Refused(ErrorCode.unknown_topic_or_partition, f"Topic '{name}' does not exist.")
    return node.topics[name]


def _topic_entry(config: TopicConfig, name: str) -> dict[str, Any]:
    setting, own = SETTINGS[name], name in config.own
    source = _DYNAMIC_TOPIC if own else _DEFAULT
    synonyms = [{"name": name, "value": setting.default, "source": _DEFAULT}]
    if own:
        synonyms.insert(0, {"name": name, "value": config[name], "source": source})
    return _entry(name, config[name], setting.kind, source, setting.says) | {"synonyms": synonyms}


def _broker_entry(name: str, value: str, kind: Kind, says: str) -> dict[str, Any]:
    synonyms = [{"name": name, "value": value, "source": _STATIC_BROKER}]
    entry = _entry(name, value, kind, _STATIC_BROKER, says)
    return entry | {"read_only": True, "synonyms": synonyms}


def _entry(name: str, value: str, kind: Kind, source: int, says: str) -> dict[str, Any]:
    return {
        "name": name,
        "value": value,
        "read_only": False,
        "config_source": source,
        "is_sensitive": False,
        "config_type": KIND_NUMBER[kind],
        "documentation": says,
    }


async def list_config_resources(node: Node, call: Call) -> Answer:
    """ListConfigResources: topics and this broker; version 0 asks for client metrics, and there are none."""
    asked = getattr(call.body, "resource_types", (_CLIENT_METRICS,)) or _ANY
    if not set(asked) <= {*_ANY, _CLIENT_METRICS}:
        return {"error_code": ErrorCode.unsupported_version}
    named = {_TOPIC: sorted(node.topics), _BROKER: [str(NODE_ID)]}
    found = [{"resource_type": t, "resource_name": n} for t in asked for n in named.get(t, ())]
    return {"error_code": ErrorCode.none, "config_resources": found}


async def alter_configs(node: Node, call: Call) -> Answer:
    """AlterConfigs: all of a resource's own settings at once."""
    return _alter(node, call, lambda _, resource: {c.name: c.value for c in resource.configs})


async def incremental_alter_configs(node: Node, call: Call) -> Answer:
    """IncrementalAlterConfigs: single settings."""
    return _alter(node, call, _changed)


def _alter(node: Node, call: Call, change: Callable[[TopicConfig, Any], dict[str, str]]) -> Answer:
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
            if resource.resource_type != _TOPIC or not resource.resource_name:
                raise Refused(ErrorCode.invalid_request, "Only settings of a topic can be changed here.")
            topic = _topic(node, resource.resource_name)
            config = change(topic.config, resource)
            if why := refusal(config):
                raise Refused(ErrorCode.invalid_config, why)
            if not call.body.validate_only:
                node.configure_topic(topic, config)
        except Refused as refused:
            answer |= {"error_code": refused.code, "error_message": refused.message}
        except sqlite3.Error as error:
            answer |= {"error_code": ErrorCode.kafka_storage_error, "error_message": str(error)}
        answers.append(answer)
    return {"responses": answers}


def _changed(config: TopicConfig, resource: Any) -> dict[str, str]:
    changed = dict(config.own)
    if len({c.name for c in resource.configs}) < len(resource.configs):
        raise Refused(ErrorCode.invalid_request, "Each setting must appear at most once.")
    for item in resource.configs:
        if item.config_operation == _DELETE:
            changed.pop(item.name, None)
        elif item.name not in SETTINGS:
            raise Refused(ErrorCode.invalid_config, f"Unknown topic config name: {item.name}")
        elif item.value is None:
            raise Refused(ErrorCode.invalid_request, f"Null value not supported for: {item.name}")
        elif item.config_operation == _SET:
            changed[item.name] = item.value
        elif item.config_operation in (_APPEND, _SUBTRACT) and SETTINGS[item.name].kind == "list":
            changed[item.name] = _edited(config[item.name], item)
        else:
            raise Refused(
                ErrorCode.invalid_config, f"Operation {item.config_operation} does not fit {item.name}."
            )
    return changed


def _edited(value: str, item: Any) -> str:
    parts = [part for part in value.split(",") if part]
    named = [part for part in item.value.split(",") if part]
    if item.config_operation == _APPEND:
        return ",".join(parts + [part for part in named if part not in parts])
    return ",".join(part for part in parts if part not in named)
