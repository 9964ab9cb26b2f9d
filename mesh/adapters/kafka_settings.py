"""Settings of many topics in few bytes: only those that are asked for travel.

librdkafka can only ask for all thirty-odd settings of a topic; for thousands of topics that is
seconds of work on both sides, so many topics are asked by a client that can name what it wants.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

AT_ONCE = 2_000
TIMEOUT_MS = 10_000


def settings_of(
    bootstrap: str, topics: Sequence[str], settings: Sequence[str]
) -> Mapping[str, Mapping[str, str]]:
    """The named settings of each topic; raises aiokafka's KafkaError, or OSError."""
    return asyncio.run(_asked(bootstrap, topics, settings))


async def _asked(bootstrap: str, topics: Sequence[str], settings: Sequence[str]) -> dict[str, dict[str, str]]:
    from aiokafka.admin import AIOKafkaAdminClient
    from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
    from aiokafka.errors import for_code

    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=TIMEOUT_MS)
    await client.start()
    found: dict[str, dict[str, str]] = {}
    wanted = dict.fromkeys(settings, "")
    try:
        for start in range(0, len(topics), AT_ONCE):
            asked = [
                ConfigResource(ConfigResourceType.TOPIC, name, wanted)
                for name in topics[start : start + AT_ONCE]
            ]
            for answer in await client.describe_configs(asked):
                for code, why, _, name, entries in answer.resources:
                    if code:
                        raise for_code(code)(f"{name}: {why}")
                    found[name] = _values(entries)
    finally:
        await client.close()
    return found


def _values(entries: Sequence[Sequence[Any]]) -> dict[str, str]:
    return {str(entry[0]): str(entry[1]) for entry in entries if entry[1] is not None}
