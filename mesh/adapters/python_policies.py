"""Policies of installed packages: functions behind the entry points `mesh.policies`, never a file's text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from importlib.metadata import EntryPoint, entry_points

from mesh.contract.yaml import Document
from mesh.policy.model import Undecided, Violation
from mesh.policy.reading import API_VERSION
from mesh.policy.subject import KINDS, Subject

GROUP = "mesh.policies"
INSTALLED = "python:"  #: how the place of such a policy begins
PythonPolicy = Callable[[Subject], Iterable[Violation]]


class PythonRule:
    """A function's violations; whatever goes wrong in it makes the verdict unknown, never passed."""

    def __init__(self, entry: EntryPoint) -> None:
        version = entry.dist.version if entry.dist is not None else ""
        self.text = f"{entry.value} {version}"
        self._entry = entry

    def violations(self, subject: Subject, _today: date) -> Iterator[Violation]:
        """What the function yields; raises Undecided."""
        try:
            for violation in self._entry.load()(subject):
                if not isinstance(violation, Violation):
                    raise TypeError(f"it gave {type(violation).__name__}, not a Violation")
                yield violation
        except Exception as error:  # somebody else's code, which may raise anything
            raise Undecided(f"{self._entry.value}: {type(error).__name__}: {error}"[:300]) from error


def installed() -> dict[str, EntryPoint]:
    """Every Python policy that an installed package brings, by name."""
    return {entry.name: entry for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name)}


def declared(entries: Iterable[EntryPoint]) -> Iterator[Document]:
    """Each as the policy file that it stands for; a file of the same name in the mesh changes it."""
    from inspect import getdoc

    for entry in entries:
        try:
            function = entry.load()
            lines = (getdoc(function) or "").strip().splitlines()
            kinds = getattr(function, "applies_to", KINDS[:2])
        except Exception:  # it cannot be loaded: asked, it will say so, and be unknown
            lines, kinds = [], KINDS[:2]
        yield Document(
            file=f"{INSTALLED}{entry.value}",
            text="",
            data={
                "apiVersion": API_VERSION,
                "kind": "Policy",
                "name": entry.name,
                "title": (lines or [entry.name])[0],
                "description": " ".join(" ".join(lines[1:] or lines or [entry.value]).split()),
                "severity": "error",
                "appliesTo": [kind for kind in KINDS if kind in kinds],
                "python": entry.name,
            },
            positions={},
        )
