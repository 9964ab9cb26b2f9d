"""Rego modules as rules of policies: `deny` and `violation`, asked in a child process within a time."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from mesh import limits
from mesh.errors import UsageError
from mesh.policy.model import Undecided, Violation
from mesh.policy.subject import Subject

if TYPE_CHECKING:
    import subprocess

DECISIONS = ("deny", "violation")
_MODULE = "mesh.adapters.rego_worker"


def require_rego() -> None:
    """Raises UsageError (MESH-U140) when the extra that brings Rego is not installed."""
    if importlib.util.find_spec("regopy") is None:
        raise UsageError(
            "policies in Rego need the extra mesh[policy]",
            code="MESH-U140",
            why="the package regopy is not installed",
            fix='pip install "mesh[policy]"',
        )


class RegoRule:
    """A Rego module's `deny` and `violation`, with the document as its input."""

    def __init__(self, name: str, source: str) -> None:
        self.text = source
        self._name = name
        self._child: subprocess.Popen[str] | None = None
        self._lost = ""  #: why the child is not asked again

    def violations(self, subject: Subject, today: date) -> Iterator[Violation]:
        """What the module denies; raises Undecided."""
        if self._lost:
            raise Undecided(self._lost)
        answer = self._ask({**subject.data, "mesh": _facts(subject, today)})
        if "error" in answer:
            raise Undecided(f"{self._name}: {answer['error']}")
        found = answer["found"]
        named = [key for key in DECISIONS if key in found]
        if not named:
            raise Undecided(f"{self._name} defines neither deny nor violation")
        for key in named:
            yield from _violations(found[key])

    def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.communicate()

    def __del__(self) -> None:
        self.close()

    def _ask(self, document: dict[str, Any]) -> dict[str, Any]:
        import select

        try:
            child = self._child or self._start()
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(json.dumps(document, default=str) + "\n")
            child.stdin.flush()
            ready = bool(select.select([child.stdout], [], [], limits.POLICY_SECONDS)[0])
            line = child.stdout.readline() if ready else ""
        except OSError:
            ready, line = True, ""
        if not line:
            ended = "ended without an answer" if ready else f"gave no answer in {limits.POLICY_SECONDS} s"
            self._lost = f"{self._name} {ended}"
            self.close()
            raise Undecided(self._lost)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _start(self) -> subprocess.Popen[str]:
        import subprocess

        self._child = subprocess.Popen(
            [sys.executable, "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps({"name": self._name, "source": self.text}) + "\n")
        return self._child


def _facts(subject: Subject, today: date) -> dict[str, Any]:
    """What YAML policies know by `$`, for Rego under `input.mesh`."""
    retention = subject.fact("retention")
    return {
        "subject": subject.name,
        "kind": subject.kind,
        "today": str(today),
        "products": list(subject.products),
        "retention_ms": None if retention is None else int(retention),
        "bump": subject.fact("bump"),
        "needed": subject.fact("needed"),
        "previous": subject.fact("previous"),
    }


def _violations(found: Any) -> Iterator[Violation]:
    # A partial object (`deny[msg]` of older Rego) holds its messages as keys.
    for item in found if isinstance(found, list | dict) else [found]:
        if isinstance(item, dict):
            message = item.get("msg") or item.get("message") or json.dumps(item)
            yield Violation(
                message=str(message), path=_path(item.get("path")), fix=str(item.get("fix") or "")
            )
        elif item is not False and item is not None:
            yield Violation(message=str(item))


def _path(found: Any) -> tuple[str | int, ...]:
    if not isinstance(found, Sequence) or isinstance(found, str):
        return ()
    return tuple(part for part in found if isinstance(part, str | int))
