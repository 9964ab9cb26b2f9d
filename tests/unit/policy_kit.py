"""Small policies and subjects for tests."""

from __future__ import annotations

from datetime import date
from typing import Any

import yaml

from mesh.contract.yaml import Document, read
from mesh.declaration import SourceFile
from mesh.errors import DeclarationError, Finding
from mesh.policy import Outcome, Shelf, Subject, judge, shelve
from mesh.policy.model import Policy
from mesh.policy.reading import read_policy
from mesh.policy.shelf import no_foreign

TODAY = date(2026, 11, 21)
FILE = "policies/sample.policy.yaml"


def policy_data(**more: Any) -> dict[str, Any]:
    """A policy that asks for the key `x`, with other keys added or, with None, left out."""
    data: dict[str, Any] = {
        "apiVersion": "mesh/v1",
        "kind": "Policy",
        "name": "sample",
        "title": "It has an x",
        "description": "Everybody needs an x.",
        "severity": "error",
        "appliesTo": "contract",
        "require": {"path": "x", "exists": True},
        "message": "there is no x",
        **more,
    }
    return {key: value for key, value in data.items() if value is not None}


def policy_text(**more: Any) -> str:
    """The same as a file."""
    return yaml.safe_dump(policy_data(**more), sort_keys=False)


def policy(**more: Any) -> Policy:
    """The same, read."""
    return read_policy(policy_text(**more).encode(), FILE, no_foreign)


def problems(text: str) -> tuple[Finding, ...]:
    """What is wrong with a policy file; empty when nothing is."""
    try:
        read_policy(text.encode(), FILE, no_foreign)
    except DeclarationError as error:
        return error.findings
    return ()


def subject(text: str, name: str = "ops.flights.v1", **more: Any) -> Subject:
    """A contract, or a part of one, as YAML."""
    document: Document = read(text.encode(), "contracts/sample.odcs.yaml")
    return Subject(kind="contract", name=name, data=document.data, locate=document.at, **more)


def asked(text: str, today: date = TODAY, **more: Any) -> Outcome:
    """What the sample policy says to a document."""
    return judge(policy(**more), subject(text), today)


def verdict(text: str, **more: Any) -> str:
    """Passed, failed or unknown."""
    return asked(text, **more).verdict


def shelf(*texts: str) -> Shelf:
    """The policies in force where a mesh has these files."""
    return shelve([SourceFile(f"policies/p{i}.policy.yaml", text.encode()) for i, text in enumerate(texts)])
