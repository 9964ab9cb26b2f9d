"""What each client of the registry did and was told: one JSON line before and one after each request.

| f | what | fields |
| --- | --- | --- |
| register | a schema for a subject | subject, v (the schema's key); id, version when ok |
| get | a schema by its id | id; v when ok |
| hide | a version deleted softly | subject, version |
| remove | a version deleted for good | subject, version |
| approve | a decision that lets the schema `v` into a subject | subject, v, id (of the proposal) |
| declare | a first contract version, which lets the schema `v` in too | subject, v |

`ok` it happened, `fail` it was refused with `code` and did not, `info` nobody knows: the connection broke,
the registry did not decide in time (50002), or it failed with another 5xx, which is then the `code`.
"""

from __future__ import annotations

from dataclasses import dataclass

from mesh_platform.chaos.history import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a history; `node` is which platform process was asked."""

    t: float = 0.0
    proc: str
    type: Outcome
    f: str
    node: int = 0
    subject: str = ""
    v: str = ""
    id: int = 0
    version: int = 0
    code: int = 0
