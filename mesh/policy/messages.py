"""The words of a violation: text with `{path}` where a value of the document belongs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from mesh.policy.forms import Forms
from mesh.policy.grammar import path_of
from mesh.policy.paths import NodePath
from mesh.policy.subject import Subject

_HOLE = re.compile(r"\{([^{}]{1,200})\}")
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Message:
    """Text and paths in turn."""

    parts: tuple[str | NodePath, ...]

    @classmethod
    def parse(cls, text: str, forms: Forms) -> Message:
        """Read a message; a path that is none goes into `forms`."""
        parts: list[str | NodePath] = []
        for number, part in enumerate(_HOLE.split(text)):
            parts.append(path_of(part, ("message",), forms, many=False) if number % 2 else part)
        return cls(tuple(part for part in parts if part != ""))

    def of(self, here: Any, subject: Subject) -> str:
        """The message about one node."""
        return "".join(
            part if isinstance(part, str) else _shown(part.value(here, subject)) for part in self.parts
        )


def _shown(value: Any) -> str:
    text = "not told" if value is None else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
