"""What ODCS asks in its text and its JSON schema cannot say, for any valid document (MESH-C080 to C098)."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.contract import (
    custom_properties,
    identities,
    options,
    quality,
    references,
    service_levels,
    vocabulary,
)
from mesh.contract.yaml import Document
from mesh.errors import Finding


def beyond_the_schema(document: Document) -> Iterator[Finding]:
    """Every finding over a document that its standard's schema accepts; each module says its codes."""
    yield from identities.findings(document)
    yield from references.findings(document)
    yield from service_levels.findings(document)
    yield from quality.findings(document)
    yield from options.findings(document)
    yield from vocabulary.findings(document)
    yield from custom_properties.of_contract(document)
