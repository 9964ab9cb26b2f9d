"""Which characters of a YAML text a node takes, so that a tool can replace exactly those.

Reading keeps only line and column, because nobody edits most files: the text is composed again when
the first span of it is asked for.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import yaml

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Span(NamedTuple):
    """Characters of a text: `text[span.start:span.end]`."""

    start: int
    end: int


def value_span(text: str, path: tuple[str | int, ...]) -> Span | None:
    """The span of the value at `path`, quotes and brackets with it; None when there is no such node.

    A block of several lines ends with its last value, not with the comments after it. `text` has been
    read before, so it is within all limits.
    """
    node = _tree(text)
    for step in path:
        found = _step(node, step)
        if found is None:
            return None
        node = found[1]
    return None if node is None else Span(node.start_mark.index, _end(node))


def key_span(text: str, path: tuple[str | int, ...]) -> Span | None:
    """The span of the key that `path` ends with; None when it ends with no key of a mapping."""
    if not path:
        return None
    node = _tree(text)
    key: yaml.Node | None = None
    for step in path:
        found = _step(node, step)
        if found is None:
            return None
        key, node = found
    return None if key is None else Span(key.start_mark.index, key.end_mark.index)


@lru_cache(maxsize=4)
def _tree(text: str) -> yaml.Node | None:
    return yaml.compose(text, Loader=_Loader)


def _step(node: yaml.Node | None, step: str | int) -> tuple[yaml.Node | None, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and 0 <= step < len(node.value):
        return None, node.value[step]
    return None


def _end(node: yaml.Node) -> int:
    # A block collection's own end mark stands where the next token starts, after blank lines and comments.
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(node, yaml.MappingNode) else last)
    return int(node.end_mark.index)
