"""Folders: DescribeLogDirs.

Behaviour
* There is one folder. It is told with the partitions asked for (null: all) and their bytes; what is not
  there is left out.
* Total and usable bytes are those of the file system.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Any

from kio.schema.errors import ErrorCode

from mesh_platform.broker.node import Node
from mesh_platform.broker.wire import Call

Answer = Mapping[str, Any]


async def describe_log_dirs(node: Node, call: Call) -> Answer:
    """DescribeLogDirs: the data folder."""
    wanted = call.body.topics
    if wanted is None:
        asked = {name: range(len(topic.logs)) for name, topic in node.topics.items()}
    else:
        asked = {item.topic: item.partitions for item in wanted}
    found = {name: _sizes(node, name, partitions) for name, partitions in asked.items()}
    disk = shutil.disk_usage(node.data)
    folder = {
        "error_code": ErrorCode.none,
        "log_dir": str(node.data),
        "topics": [{"name": name, "partitions": sizes} for name, sizes in found.items() if sizes],
        "total_bytes": disk.total,
        "usable_bytes": disk.free,
    }
    return {"error_code": ErrorCode.none, "results": [folder]}


def _sizes(node: Node, name: str, partitions: Any) -> list[Answer]:
    logs = {index: node.log(node.topics.get(name), index) for index in partitions}
    return [
        {"partition_index": index, "partition_size": log.size, "offset_lag": 0, "is_future_key": False}
        for index, log in logs.items()
        if log is not None
    ]
