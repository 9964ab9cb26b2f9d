"""Record rules: what is asked of single events, as values and in every engine's words."""

from mesh.rules.inexpressible import Inexpressible
from mesh.rules.model import Rule
from mesh.rules.ruleset import rule_set

__all__ = ["Inexpressible", "Rule", "rule_set"]
