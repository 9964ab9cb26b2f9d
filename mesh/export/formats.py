"""The formats a contract is exported in: how each is written, and what it has no word for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mesh.contract.model import Contract
from mesh.errors import Finding
from mesh.export import asyncapi, avro, html, json_schema, markdown


@dataclass(frozen=True, slots=True)
class Format:
    """One format: its name for people, the end of its file names, and the text of a contract."""

    title: str
    suffix: str
    text: Callable[[Contract], str]
    left_out: Callable[[Contract], Iterable[tuple[str, str]]]

    def findings(self, contract: Contract) -> list[Finding]:
        """What stays in the contract because the format has no word for it (MESH-C109)."""
        return [
            Finding(
                code="MESH-C109",
                severity="info",
                message=f"not in {self.title}: {what} of {subject}",
                where=contract.document.file,
                why=f"{self.title} has no word for it",
                fix="publish the contract beside the export",
            )
            for subject, what in self.left_out(contract)
        ]


def _json(tree: Any) -> str:
    return json.dumps(tree, indent=2, ensure_ascii=False) + "\n"


def _nothing(contract: Contract) -> Iterable[tuple[str, str]]:  # noqa: ARG001
    return ()


FORMATS: Final[Mapping[str, Format]] = {
    "asyncapi": Format("AsyncAPI", ".asyncapi.json", lambda c: _json(asyncapi.asyncapi(c)), avro.left_out),
    "avro": Format("Avro", ".avsc", avro.avsc, avro.left_out),
    "html": Format("the page", ".html", html.html, _nothing),
    "json-schema": Format(
        "JSON Schema",
        ".schema.json",
        lambda c: _json(json_schema.event_schema(c)),
        lambda c: ((prop.name, what) for prop, what in json_schema.left_out(c)),
    ),
    "markdown": Format("the page", ".md", markdown.markdown, _nothing),
}
