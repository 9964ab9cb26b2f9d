"""Data as YAML text that `mesh.contract.yaml.read` reads back as the same data, with no alias in it."""

from __future__ import annotations

import re
from typing import Any

import yaml

# PyYAML quotes what YAML 1.1 would misread; YAML 1.2 knows numbers that look different.
_LIKE_A_NUMBER = re.compile(r"[-+]?[0-9a-fA-Fxo]*\.?[0-9eE]*[-+]?[0-9]*\Z")
# To some readers they end a line, to YAML 1.2 they do not: written as escapes they are neither.
_LINE_BREAKS = re.compile("[\x85\u2028\u2029]")
_WIDTH = 110


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        # Items of a list stand deeper than its key, as people write them.
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "'" if _LIKE_A_NUMBER.match(text) and any(map(str.isdigit, text)) else None
    if _LINE_BREAKS.search(text):
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def write(data: Any) -> str:
    """The YAML text of plain data (mappings, lists, text, numbers, booleans, null), keys in their order."""
    return str(yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH))
