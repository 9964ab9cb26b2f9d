"""Which requests the broker answers, and in which versions.

Behaviour
* Only versions that the conformance suite has passed are advertised.
* An ApiVersions request in a version that is not advertised is answered in version 0 with
  UNSUPPORTED_VERSION and the versions of ApiVersions itself, so that the client can ask again.
* Nothing of ACLs, SASL, the newer group protocols or transactions version 2 is advertised.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kio.schema.errors import ErrorCode

from mesh_platform.broker.node import Node
from mesh_platform.broker.wire import Call

API_VERSIONS = 18
#: api key: (lowest, highest) version
ADVERTISED: Mapping[int, tuple[int, int]] = {
    0: (3, 12),  # Produce
    1: (4, 17),  # Fetch
    2: (1, 9),  # ListOffsets
    3: (0, 13),  # Metadata
    8: (2, 9),  # OffsetCommit
    9: (1, 9),  # OffsetFetch
    10: (0, 6),  # FindCoordinator
    11: (0, 9),  # JoinGroup
    12: (0, 4),  # Heartbeat
    13: (0, 5),  # LeaveGroup
    14: (0, 5),  # SyncGroup
    15: (0, 6),  # DescribeGroups
    16: (0, 5),  # ListGroups
    API_VERSIONS: (0, 4),
    19: (2, 7),  # CreateTopics
    20: (1, 6),  # DeleteTopics
    21: (0, 2),  # DeleteRecords
    22: (0, 5),  # InitProducerId
    23: (2, 4),  # OffsetForLeaderEpoch
    24: (0, 3),  # AddPartitionsToTxn
    25: (0, 4),  # AddOffsetsToTxn
    26: (0, 4),  # EndTxn
    28: (0, 4),  # TxnOffsetCommit
    32: (1, 4),  # DescribeConfigs
    33: (0, 2),  # AlterConfigs
    37: (0, 3),  # CreatePartitions
    42: (0, 2),  # DeleteGroups
    44: (0, 1),  # IncrementalAlterConfigs
    47: (0, 0),  # OffsetDelete
    60: (0, 2),  # DescribeCluster
    61: (0, 0),  # DescribeProducers
    65: (0, 0),  # DescribeTransactions
    66: (0, 2),  # ListTransactions
}


def is_advertised(api_key: int, version: int) -> bool:
    low, high = ADVERTISED.get(api_key, (0, -1))
    return low <= version <= high


async def api_versions(_: Node, __: Call) -> Mapping[str, Any]:
    """ApiVersions: everything advertised."""
    return {"error_code": ErrorCode.none, "api_keys": [_entry(key) for key in sorted(ADVERTISED)]}


def unsupported() -> Mapping[str, Any]:
    """The version 0 answer to a newer ApiVersions request."""
    return {"error_code": ErrorCode.unsupported_version, "api_keys": [_entry(API_VERSIONS)]}


def _entry(api_key: int) -> Mapping[str, int]:
    low, high = ADVERTISED[api_key]
    return {"api_key": api_key, "min_version": low, "max_version": high}
