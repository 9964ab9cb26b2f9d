"""Who may do what, which here is everybody everything: ACLs, SCRAM users, client quotas.

Behaviour
* DescribeAcls, CreateAcls, DeleteAcls: SECURITY_DISABLED, as in a Kafka without an authorizer.
* DescribeUserScramCredentials: there is no user; one that is named is RESOURCE_NOT_FOUND, one named twice
  DUPLICATE_RESOURCE.
* AlterUserScramCredentials: nothing can be deleted (RESOURCE_NOT_FOUND), and no user can be made
  (UNSUPPORTED_SASL_MECHANISM), because nobody signs in here.
* DescribeClientQuotas: there are none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from kio.schema.errors import ErrorCode

from mesh_platform.broker.node import Node
from mesh_platform.broker.wire import Call

Answer = Mapping[str, Any]
_DISABLED = {
    "error_code": ErrorCode.security_disabled,
    "error_message": "No Authorizer is configured on the broker",
}
_ENTITIES = {"user", "client-id", "ip"}
_SCRAM = (1, 2)
_NO_USER = ErrorCode.resource_not_found


async def describe_acls(_: Node, __: Call) -> Answer:
    """DescribeAcls: refused."""
    return _DISABLED


async def create_acls(_: Node, call: Call) -> Answer:
    """CreateAcls: each refused."""
    return {"results": [_DISABLED] * len(call.body.creations)}


async def delete_acls(_: Node, call: Call) -> Answer:
    """DeleteAcls: each refused."""
    return {"filter_results": [_DISABLED] * len(call.body.filters)}


async def describe_user_scram_credentials(_: Node, call: Call) -> Answer:
    """DescribeUserScramCredentials: no user is here."""
    times = Counter(user.name for user in call.body.users or ())
    codes = {n: ErrorCode.duplicate_resource if t > 1 else _NO_USER for n, t in times.items()}
    return {"error_code": ErrorCode.none, "results": [{"user": n, "error_code": c} for n, c in codes.items()]}


async def alter_user_scram_credentials(_: Node, call: Call) -> Answer:
    """AlterUserScramCredentials: nothing to delete, nothing is made."""
    codes = {item.name: _code(item, _NO_USER) for item in call.body.deletions}
    codes |= {item.name: _code(item, ErrorCode.unsupported_sasl_mechanism) for item in call.body.upsertions}
    return {"results": [{"user": name, "error_code": code} for name, code in codes.items()]}


def _code(item: Any, otherwise: ErrorCode) -> ErrorCode:
    if not item.name:
        return ErrorCode.unacceptable_credential
    return otherwise if item.mechanism in _SCRAM else ErrorCode.unsupported_sasl_mechanism


async def describe_client_quotas(_: Node, call: Call) -> Answer:
    """DescribeClientQuotas: none."""
    unknown = {item.entity_type for item in call.body.components} - _ENTITIES
    if unknown:
        message = f"Unsupported entity type {min(unknown)}"
        code = ErrorCode.unsupported_version
        return {"error_code": code, "error_message": message, "entries": None}
    return {"error_code": ErrorCode.none, "entries": []}
