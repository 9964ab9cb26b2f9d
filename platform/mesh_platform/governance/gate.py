"""The registry as gate: an owned subject takes only what an approved contract version covers, word for word.

Answers are a refusal's message, or None when there is nothing against it; only the log decides, so that
every replica and every replay says the same.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from mesh import naming
from mesh.compatibility import Level
from mesh.rules.ruleset import normal
from mesh.schema import parse_schema
from mesh_platform.governance.state import ApprovedVersion, GovernanceState
from mesh_platform.registry.config import Config
from mesh_platform.registry.contexts import own_name
from mesh_platform.registry.kinds import Kind
from mesh_platform.registry.model import Content
from mesh_platform.registry.warrant import Warrant
from mesh_platform.rights import Right

_KEY = "-key"


class ContractGate:
    """Guards the subjects of the topics that contracts own; others follow the profile in the warrant."""

    def __init__(self, governance: GovernanceState) -> None:
        self._governance = governance

    def check(self, subject: str, content: Content, warrant: Warrant) -> str | None:
        """Whether a subject may take this schema with these rules."""
        versions = self._owners(subject)
        if not versions:
            return None if warrant.open else _closed(subject)
        latest = versions[-1]
        owned = f"MESH-R403 subject '{subject}' belongs to contract {latest.contract_id}, and"
        if subject.endswith(_KEY):
            return f"{owned} its keys are plain text: no schema covers them. Leave the key without a schema"
        covering = [version for version in versions if _covers(version, content)]
        if not covering:
            return (
                f"{owned} no approved version covers this schema (in force: {latest.version}). "
                f"Change {latest.file} and run: mesh propose {latest.file}"
            )
        if not any(_says(version, content) for version in covering):
            return (
                f"{owned} its rule set is not the one that was approved with this schema "
                f"(version {covering[-1].version}). To register both run: mesh apply"
                f"   (to change the rules, change {latest.file} and run: mesh propose {latest.file})"
            )
        return None

    def deletion(self, subject: str, warrant: Warrant, *, permanent: bool) -> str | None:
        """Whether schemas of a subject may be deleted."""
        if permanent and Right.ADMIN not in warrant.rights:
            return _lacking(
                Right.ADMIN, f"what is deleted for good from '{subject}' no reader can read again"
            )
        versions = self._owners(subject)
        if versions and Right.SET_POLICY not in warrant.rights:
            why = f"'{subject}' belongs to contract {versions[-1].contract_id}, and readers rely on it"
            return _lacking(Right.SET_POLICY, why)
        return None

    def settings(self, subject: str | None, before: Config, after: Config, warrant: Warrant) -> str | None:
        """Whether settings may become others; `subject` is None for those of the whole registry."""
        if Right.SET_POLICY in warrant.rights:
            return None
        if subject is None or not own_name(subject):
            return _lacking(
                Right.SET_POLICY, "settings of a whole registry or context hold for all its subjects"
            )
        versions = self._owners(subject)
        if not versions:
            return None
        latest = versions[-1]
        wanted = Level(latest.level) if latest.level else before.level or Level.BACKWARD
        if after.level and _keeps(after.level, wanted) and replace(after, level=before.level) == before:
            return None
        why = f"'{subject}' belongs to contract {latest.contract_id}, whose readers are promised {wanted}"
        return f"{_lacking(Right.SET_POLICY, why)}; or change the contract: mesh propose {latest.file}"

    def _owners(self, subject: str) -> list[ApprovedVersion]:
        """The approved versions of the contract that a subject belongs to; none for a subject of nobody."""
        topic = subject.removesuffix(naming.VALUE_SUFFIX).removesuffix(_KEY)
        contract_id = self._governance.owner_of(topic)
        named = subject in (naming.value_subject(topic), topic + _KEY)
        return self._governance.contracts[contract_id] if contract_id is not None and named else []


def _covers(version: ApprovedVersion, content: Content) -> bool:
    if content.kind is not Kind.AVRO or content.references:
        return False
    return content.text == version.schema or content.text == _normal_text(version.schema)


def _says(version: ApprovedVersion, content: Content) -> bool:
    # What was approved before rule sets were has none on record: its records were accepted with any.
    return version.rule_set is None or normal(version.rule_set) == normal(content.rule_set)


@lru_cache(maxsize=512)
def _normal_text(schema: str) -> str:
    return parse_schema(schema).normal_text()


def _keeps(level: Level, wanted: Level) -> bool:
    """Whether a level asks at least for what another asks."""
    return (
        level.backward >= wanted.backward
        and level.forward >= wanted.forward
        and level.transitive >= wanted.transitive
    )


def _closed(subject: str) -> str:
    return (
        f"MESH-R403 subject '{subject}' belongs to no contract, and this registry takes schemas of contracts "
        "only. Declare a contract for its topic and run: mesh apply   (or serve with --profile development)"
    )


def _lacking(right: Right, why: str) -> str:
    who = f"Ask somebody who holds it, or: mesh token add NAME --right {right}"
    return f"MESH-S041 this needs the right {right}: {why}. {who}"
