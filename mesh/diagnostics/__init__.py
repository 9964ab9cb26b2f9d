"""Findings told: to people, to editors, to continuous integration; and what each code means.

`render` writes findings in one of six formats, `rule_of` explains a code.
"""

from mesh.diagnostics.catalogue import Rule, all_rules, rule_of
from mesh.diagnostics.rendering import FORMATS, Format, render

__all__ = ["FORMATS", "Format", "Rule", "all_rules", "render", "rule_of"]
