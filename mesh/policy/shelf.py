"""Which policies are in force: those that mesh brings, of installed packages, of the mesh's own files."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from mesh.contract.yaml import Document, read
from mesh.declaration import SourceFile
from mesh.errors import DeclarationError, Finding, Location, UsageError
from mesh.policy.model import Policy, PolicySet, Rule
from mesh.policy.reading import SUFFIX, Foreign, merged, name_in, policy_of


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
    sources: Iterable[SourceFile], foreign: Foreign = no_foreign, installed: Iterable[Document] = ()
) -> Shelf:
    """The policies of these files over those that are there already; never raises for what stands in files.

    A file of the same name as a policy that is there changes it: its keys take the place of that one's.
    """
    known: dict[str, Policy] = {}
    data: dict[str, Mapping[str, Any]] = {}
    own: dict[str, Location] = {}
    found: list[Finding] = []
    for document, policy in built_in():
        known[policy.name], data[policy.name] = policy, document.data
    for document in installed:
        try:
            policy = policy_of(document, foreign, {})
            known[policy.name], data[policy.name] = policy, document.data
        except DeclarationError as error:
            found += error.findings
    for source in sources:
        try:
            document = read(source.raw, source.name)
            name = name_in(document)
            if name in own:
                found.append(_twice(name, document.at("name"), own[name]))
                continue
            policy = policy_of(document, foreign, data.get(name, {}))
            own[name] = document.at("name")
            known[name], data[name] = policy, merged(document, data.get(name, {}))
        except DeclarationError as error:
            found += error.findings or [_as_finding(error, source.name)]
    return Shelf(PolicySet(tuple(known[name] for name in sorted(known))), tuple(found))


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
