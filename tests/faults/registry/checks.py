"""The verifier: what must hold of every history of the registry, and of what the processes hold at the end.

Each check is named as its findings are. An id belongs to one schema for ever, and a schema has one id; what
is acknowledged is still there; no reader of a subject meets what it cannot read; nothing is in the subject
of a product that no approval let in; and every process holds the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations

from mesh_platform.chaos.report import Finding
from tests.faults.registry.final import Final
from tests.faults.registry.history import Line
from tests.faults.registry.schemas import readable, width

History = Sequence[Line]
CHANGES = ("register", "hide", "remove")
#: A schema cannot be removed, because it was not deleted softly.
NOT_HIDDEN = (40405, 40407)
Check = Callable[[History, Sequence[Final]], Iterator[Finding]]


def verify(history: History, finals: Sequence[Final]) -> list[Finding]:
    """Every finding of every check; `finals` are readings of all processes, or of one at several times."""
    return [finding for check in CHECKS.values() for finding in check(history, finals)]


def id_reuse(history: History, finals: Sequence[Final]) -> Iterator[Finding]:
    """An id stands for one schema: whoever was told of it, and whenever."""
    for schema_id, keys in _meanings(history, finals).items():
        if len(keys) > 1:
            yield Finding("id-reuse", f"id {schema_id} stands for {len(keys)} schemas: {sorted(keys)[:2]}")


def split_id(history: History, finals: Sequence[Final]) -> Iterator[Finding]:
    """A schema has one id, under whichever subject, and in whichever spelling."""
    found: dict[str, set[int]] = defaultdict(set)
    for schema_id, keys in _meanings(history, finals).items():
        for schema in keys:
            found[schema].add(schema_id)
    for schema, ids in found.items():
        if len(ids) > 1:
            yield Finding("split-id", f"ids {sorted(ids)} are all {schema}")


def id_loss(history: History, finals: Sequence[Final]) -> Iterator[Finding]:
    """An acknowledged id is answered by the same process at once, and by each at the end."""
    unsafe = _removed(history)
    known: dict[tuple[int, int], str] = {}
    safe: dict[int, str] = {}
    for line in history:
        if _took(line) and line.subject not in unsafe:
            known[line.node, line.id] = safe[line.id] = line.v
        if line.f == "get" and line.type == "fail" and (line.node, line.id) in known:
            yield Finding("id-loss", f"id {line.id} was given and is not known ({line.code})", line.t)
    for schema_id, schema in safe.items():
        for final in finals:
            if final.ids.get(schema_id) != schema:
                yield Finding("id-loss", f"id {schema_id} is {final.ids.get(schema_id)} and was {schema}")


def version_loss(history: History, finals: Sequence[Final]) -> Iterator[Finding]:
    """An acknowledged version is there at the end, with its id; in a subject with deletions the last one."""
    unsafe = _removed(history)
    last = {line.subject: line for line in history if line.f in CHANGES and line.type != "fail"}
    for line in _acknowledged(history):
        if line.subject in unsafe and last[line.subject] is not line:
            continue
        for final in finals:
            held = final.versions.get((line.subject, line.version))
            live = line.subject not in unsafe or (held is not None and not held.deleted)
            if held is None or (held.id, held.v) != (line.id, line.v) or not live:
                yield Finding(
                    "version-loss", f"{line.subject} {line.version} was {line.id}, is {held}", line.t
                )


def two_winners(history: History, _: Sequence[Final]) -> Iterator[Finding]:
    """A version number of a subject goes to one schema."""
    unsafe = _removed(history)
    winners: dict[tuple[str, int], set[str]] = defaultdict(set)
    for line in _acknowledged(history):
        if line.subject not in unsafe:
            winners[line.subject, line.version].add(line.v)
    for (subject, version), keys in winners.items():
        if len(keys) > 1:
            yield Finding("two-winners", f"{subject} {version} went to {len(keys)} schemas")


def incompatible_pair(history: History, finals: Sequence[Final]) -> Iterator[Finding]:
    """The newer of two live versions reads what was written with the older."""
    for versions in _live(history, finals):
        for subject, numbered in versions.items():
            for (older, writer), (newer, reader) in combinations(sorted(numbered.items()), 2):
                if not readable(reader, writer):
                    yield Finding("incompatible-pair", f"{subject}: {newer} does not read {older}")


def unapproved_live(history: History, _: Sequence[Final]) -> Iterator[Finding]:
    """A schema comes into a product's subject only after a decision that lets it in was asked for."""
    owned = {line.subject for line in history if line.f == "declare"}
    allowed: set[tuple[str, str]] = set()
    for line in history:
        if line.f in ("declare", "approve") and line.type == "invoke":
            allowed.add((line.subject, line.v))
        elif _took(line) and line.subject in owned and (line.subject, line.v) not in allowed:
            yield Finding("unapproved-live", f"{line.subject} took {line.v}", line.t)


def undeleted(history: History, finals: Sequence[Final]) -> Iterator[Finding]:
    """What was deleted, and not registered again since, is not live, and is known to be deleted."""
    last: dict[str, Line] = {}
    for line in history:
        before = last.get(line.subject)
        if line.f not in CHANGES:
            continue
        if line.type != "fail":
            last[line.subject] = line
        elif line.code in NOT_HIDDEN and before and (before.f, before.type) != ("register", "ok"):
            yield Finding("undeleted", f"{line.subject} {line.version} was deleted, and is not", line.t)
    for line in last.values():
        if line.f == "register" or line.type != "ok":
            continue
        for final in finals:
            held = final.versions.get((line.subject, line.version))
            if held is not None and (line.f == "remove" or not held.deleted):
                yield Finding("undeleted", f"{line.subject} {line.version} is {held}", line.t)


def no_winner(history: History, finals: Sequence[Final]) -> Iterator[Finding]:
    """A rival is refused because another has its place: the version that it wanted is there."""
    unsafe = _removed(history)
    for line in history:
        if line.f != "register" or line.code != 409 or line.subject in unsafe:
            continue
        wanted = width(line.v)
        for final in finals:
            if (line.subject, wanted) not in final.versions:
                yield Finding("no-winner", f"{line.subject} {wanted}: refused, and nobody has it", line.t)


def lost_decision(history: History, finals: Sequence[Final]) -> Iterator[Finding]:
    """An acknowledged approval is in force at the end, once and for all."""
    for line in history:
        if line.f == "approve" and line.type == "ok":
            for final in finals:
                if line.id not in final.approved:
                    yield Finding("lost-decision", f"proposal {line.id} of {line.subject}", line.t)


def server_error(history: History, _: Sequence[Final]) -> Iterator[Finding]:
    """No answer is a fault of the server, but that it could not decide in time."""
    for line in history:
        if line.type == "info" and line.code and line.code != 503:
            yield Finding("server-error", f"{line.f} {line.subject}: {line.code}", line.t)


def divergence(_: History, finals: Sequence[Final]) -> Iterator[Finding]:
    """Every process holds the same, and holds it again after it has replayed the log."""
    for number, final in enumerate(finals[1:], 1):
        if final.whole != finals[0].whole:
            parts = [name for name in final.whole if final.whole[name] != finals[0].whole[name]]
            yield Finding("divergence", f"reading {number} is not reading 0: {parts}")


CHECKS: Mapping[str, Check] = {
    "id-reuse": id_reuse,
    "split-id": split_id,
    "id-loss": id_loss,
    "version-loss": version_loss,
    "two-winners": two_winners,
    "incompatible-pair": incompatible_pair,
    "unapproved-live": unapproved_live,
    "undeleted": undeleted,
    "no-winner": no_winner,
    "lost-decision": lost_decision,
    "server-error": server_error,
    "divergence": divergence,
}


def _meanings(history: History, finals: Sequence[Final]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for line in history:
        if line.type == "ok" and line.f in ("register", "get"):
            found[line.id].add(line.v)
    for final in finals:
        for held in final.versions.values():
            found[held.id].add(held.v)
        for schema_id, schema in final.ids.items():
            found[schema_id].add(schema)
    return found


def _acknowledged(history: History) -> Iterator[Line]:
    return filter(_took, history)


def _took(line: Line) -> bool:
    return line.f == "register" and line.type == "ok"


def _removed(history: History) -> set[str]:
    return {line.subject for line in history if line.f in ("hide", "remove")}


def _live(history: History, finals: Sequence[Final]) -> Iterator[dict[str, dict[int, str]]]:
    """Live versions by subject: as they were acknowledged, and as each reading has them."""
    unsafe = _removed(history)
    told: dict[str, dict[int, str]] = defaultdict(dict)
    for line in _acknowledged(history):
        if line.subject not in unsafe:
            told[line.subject][line.version] = line.v
    yield told
    for final in finals:
        held: dict[str, dict[int, str]] = defaultdict(dict)
        for (subject, version), version_held in final.versions.items():
            if not version_held.deleted and subject not in unsafe:
                held[subject][version] = version_held.v
        yield held
