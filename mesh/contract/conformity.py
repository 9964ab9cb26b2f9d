"""Which version of its standard a document holds by: the one it declares, else the newest.

Official examples labelled v3.0.2 already use words of 3.1 (standards digest §1.7), so a document that only
a newer version accepts is read, with a warning.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Literal

from mesh.contract import validation
from mesh.contract.validation import Standard
from mesh.contract.yaml import Document
from mesh.errors import Finding

Family = Literal["odcs", "odps"]

#: apiVersion: the schema that fits it. 3.0.0 and 3.0.1 differ from 3.0.2 in their text only.
ODCS: Mapping[str, Standard] = {
    "v3.0.0": "odcs-v3.0.2",
    "v3.0.1": "odcs-v3.0.2",
    "v3.0.2": "odcs-v3.0.2",
    "v3.1.0": "odcs-v3.1.0",
    "v3.2.0": "odcs-v3.2.0",
}
ODPS: Mapping[str, Standard] = {"v1.0.0": "odps-v1.0.0", "v1.1.0": "odps-v1.1.0"}
_SUPPORTED: Mapping[Family, Mapping[str, Standard]] = {"odcs": ODCS, "odps": ODPS}
_NEWEST: Mapping[Family, Standard] = {"odcs": "odcs-v3.2.0", "odps": "odps-v1.1.0"}


def findings(document: Document, family: Family) -> Iterator[Finding]:
    """What keeps a document from being one of its standard; only warnings, or nothing, when it is one.

    Codes: those of `validation`, MESH-C096 newer than it says, C097 a version that is not supported.
    """
    newest = _NEWEST[family]
    declared = document.data.get("apiVersion") if isinstance(document.data, dict) else None
    if not isinstance(declared, str):
        yield from validation.findings(document, newest)
        return
    own = _SUPPORTED[family].get(declared)
    if own is None:
        yield _unsupported(document, declared, family)
    elif validation.holds(document, own):
        return
    elif own == newest:
        yield from validation.findings(document, newest)
    elif validation.holds(document, newest):
        yield _newer(document, declared, own, newest)
    else:
        ours, theirs = (tuple(validation.findings(document, standard)) for standard in (own, newest))
        yield from min(ours, theirs, key=len)


def _unsupported(document: Document, declared: str, family: Family) -> Finding:
    supported = tuple(_SUPPORTED[family])
    near = difflib.get_close_matches(declared, supported, n=1)
    return Finding(
        code="MESH-C097",
        message=f"apiVersion cannot be {declared!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
        where=document.at("apiVersion"),
        why=f"versions of {family.upper()} that are read: " + ", ".join(supported),
        fix=f"write apiVersion: {supported[-1]}, and what that version asks for",
    )


def _newer(document: Document, declared: str, own: Standard, newest: Standard) -> Finding:
    unknown = tuple(validation.findings(document, own))
    first = unknown[0] if unknown else None
    more = f" (and {len(unknown) - 1} more)" if len(unknown) > 1 else ""
    return Finding(
        code="MESH-C096",
        severity="warning",
        message=f"apiVersion is {declared}, but the file holds only by {newest}",
        where=document.at("apiVersion"),
        why=f"{own} refuses at {first.where}: {first.message}{more}" if first else f"{own} refuses it",
        fix=f"write apiVersion: {newest.partition('-')[2]}",
    )
