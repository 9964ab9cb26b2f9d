"""Which policies are in force: those that mesh brings, of installed packages, of the mesh's own files."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from mesh.contract.yaml import Document, read
from mesh.declaration import SourceFile
from mesh.errors import DeclarationError, Finding, Location, UsageError
from mesh.policy.model import Policy, PolicySet, Rule
from mesh.policy.reading import SUFFIX, Foreign, name_in, policy_of


def no_foreign(key: str, name: str) -> Rule:
    """Refuses every rule of another language; raises DeclarationError (MESH-C167)."""
    raise DeclarationError(
        f"{key}: {name!r} cannot be used here",
        code="MESH-C167",
        why="Rego and Python are found by the mesh command and the platform, not from a text alone",
        fix="write require: with conditions",
    )


@dataclass(frozen=True, slots=True)
class Shelf:
    """The policies in force, and what is wrong with the files that declare some."""

    policies: PolicySet
    findings: tuple[Finding, ...]

    def named(self, name: str) -> Policy:
        """The policy of that name; raises UsageError."""
        for policy in self.policies.policies:
            if policy.name == name:
                return policy
        names = [policy.name for policy in self.policies.policies]
        near = difflib.get_close_matches(name, names, n=1)
        raise UsageError(
            f"there is no policy {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
            code="MESH-U141",
            why=f"{len(names)} policies are known here",
            fix=f"mesh policy show {near[0]}" if near else "mesh policy list",
        )


def shelve(
    sources: Iterable[SourceFile],
    foreign: Foreign = no_foreign,
    installed: Iterable[Document] = (),
    drafts: Iterable[SourceFile] = (),
) -> Shelf:
    """The policies of these files over those that are there already; never raises for what stands in files.

    A file of the same name as a policy that mesh or a package brings changes it key by key. A draft takes the
    place of the file of its name.
    """
    found: list[Finding] = []
    known = {policy.name: policy for _, policy in built_in()}
    data: dict[str, Mapping[str, Any]] = {policy.name: document.data for document, policy in built_in()}
    for document in installed:
        for policy in _read(document, foreign, {}, found):
            known[policy.name], data[policy.name] = policy, document.data
    own: dict[str, Location] = {}
    drafted = _documents(drafts, found)
    names = {name_in(document) for document in drafted}
    for document in (*drafted, *(d for d in _documents(sources, found) if name_in(d) not in names)):
        name = name_in(document)
        if name in own:
            found.append(_twice(name, document.at("name"), own[name]))
            continue
        for policy in _read(document, foreign, data.get(name, {}), found):
            known[name], own[name] = policy, policy.where
    return Shelf(PolicySet(tuple(known[name] for name in sorted(known))), tuple(found))


def _documents(sources: Iterable[SourceFile], found: list[Finding]) -> list[Document]:
    made = []
    for source in sources:
        try:
            made.append(read(source.raw, source.name))
        except DeclarationError as error:
            found.append(_as_finding(error, source.name))
    return made


def _read(
    document: Document, foreign: Foreign, base: Mapping[str, Any], found: list[Finding]
) -> Iterator[Policy]:
    try:
        yield policy_of(document, foreign, base)
    except DeclarationError as error:
        found += error.findings


@cache
def built_in() -> tuple[tuple[Document, Policy], ...]:
    """The policies that mesh brings, as their files say them."""
    folder = files("mesh.policy") / "builtin"
    made = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(SUFFIX):
            document = read(entry.read_bytes(), f"mesh:{entry.name}")
            made.append((document, policy_of(document, no_foreign, {})))
    return tuple(made)


def _twice(name: str, where: Location, first: Location) -> Finding:
    return Finding(
        code="MESH-C166",
        message=f"the policy {name} is declared twice",
        where=where,
        why=f"it stands in {first.file} too, and one of the two would be passed over",
        fix="rename one of them, or remove one of the files",
    )


def _as_finding(error: DeclarationError, file: str) -> Finding:
    return Finding(
        code=error.error_code, message=error.what, where=error.where or file, why=error.why, fix=error.fix
    )
