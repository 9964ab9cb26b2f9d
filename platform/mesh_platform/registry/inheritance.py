"""What a schema brings along: its own metadata and rules, else those before it; defaults fill, others win."""

from __future__ import annotations

from mesh_platform.registry import metadata, rule_sets
from mesh_platform.registry.config import Config
from mesh_platform.registry.draft import Draft
from mesh_platform.registry.model import Content, Document


def metadata_of(config: Config, draft: Draft, before: Content | None) -> Document | None:
    """The metadata of a draft: what the configuration overrides wins, what it defaults fills."""
    own = before.metadata if draft.metadata is None and before else draft.metadata
    return metadata.merged(metadata.merged(config.default_metadata, own), config.override_metadata)


def rule_set_of(config: Config, draft: Draft, before: Content | None) -> Document | None:
    """The rule set of a draft: what the configuration overrides wins, what it defaults fills."""
    own = before.rule_set if draft.rule_set is None and before else draft.rule_set
    return rule_sets.merged(rule_sets.merged(config.default_rule_set, own), config.override_rule_set)
