"""Which requests the broker answers, and in which versions.

Behaviour
* Only versions that the conformance suite has passed are advertised.
* An ApiVersions request in a version that is not advertised is answered in version 0 with
  UNSUPPORTED_VERSION and the versions of ApiVersions itself, so that the client can ask again.
* A client that names itself badly is refused (INVALID_REQUEST), as in Kafka.
* Nothing of SASL, delegation tokens, KRaft, the newer group protocols or transactions version 2 is
  advertised, and none of the features that stand for them: the list of finalized features is empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kio.schema.errors import ErrorCode

from mesh_platform.broker.node import Node
from mesh_platform.broker.wire import Call

API_VERSIONS = 18
#: api key: (lowest, highest) version
ADVERTISED: Mapping[int, tuple[int, int]] = {
    0: (3, 13),  # Produce
    1: (4, 18),  # Fetch
    2: (1, 11),  # ListOffsets
    3: (0, 13),  # Metadata
    8: (2, 10),  # OffsetCommit
    9: (1, 10),  # OffsetFetch
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
    29: (1, 3),  # DescribeAcls
    30: (1, 3),  # CreateAcls
    31: (1, 3),  # DeleteAcls
    32: (1, 4),  # DescribeConfigs
    33: (0, 2),  # AlterConfigs
    35: (1, 5),  # DescribeLogDirs
    37: (0, 3),  # CreatePartitions
    42: (0, 2),  # DeleteGroups
    43: (0, 2),  # ElectLeaders
    44: (0, 1),  # IncrementalAlterConfigs
    45: (0, 1),  # AlterPartitionReassignments
    46: (0, 0),  # ListPartitionReassignments
    47: (0, 0),  # OffsetDelete
    48: (0, 1),  # DescribeClientQuotas
    50: (0, 0),  # DescribeUserScramCredentials
    51: (0, 0),  # AlterUserScramCredentials
    60: (0, 2),  # DescribeCluster
    61: (0, 0),  # DescribeProducers
    65: (0, 0),  # DescribeTransactions
    66: (0, 2),  # ListTransactions
    74: (0, 1),  # ListConfigResources
    75: (0, 0),  # DescribeTopicPartitions
}
#: What is told but not served, as Kafka does: older librdkafkas compress nothing when Produce begins later.
_TOLD = {0: (0, 13)}
_SOFTWARE = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?")


def is_advertised(api_key: int, version: int) -> bool:
    low, high = ADVERTISED.get(api_key, (0, -1))
    return low <= version <= high


async def api_versions(_: Node, call: Call) -> Mapping[str, Any]:
    """ApiVersions: everything advertised."""
    fields = ("client_software_name", "client_software_version")
    if not all(_SOFTWARE.fullmatch(getattr(call.body, field, "old")) for field in fields):
        return {"error_code": ErrorCode.invalid_request}
    keys = [_entry(key) for key in sorted(ADVERTISED)]
    return {"error_code": ErrorCode.none, "api_keys": keys, "finalized_features_epoch": 0}


def unsupported() -> Mapping[str, Any]:
    """The version 0 answer to a newer ApiVersions request."""
    return {"error_code": ErrorCode.unsupported_version, "api_keys": [_entry(API_VERSIONS)]}


def _entry(api_key: int) -> Mapping[str, int]:
    low, high = _TOLD.get(api_key, ADVERTISED[api_key])
    return {"api_key": api_key, "min_version": low, "max_version": high}
