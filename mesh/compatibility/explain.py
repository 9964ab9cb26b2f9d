"""Say in a sentence what an incompatibility means, and what to do about it."""

from __future__ import annotations

from mesh.compatibility.resolution import Problem, ProblemType
from mesh.schema.nodes import Enum, Fixed, Named, Node, Reference

_NEW_MAJOR = "or start a new major version of the contract"


def explain_backward(problem: Problem) -> tuple[str, str]:
    """What it means that the new schema cannot read earlier events; and what to do."""
    where = _where(problem)
    match problem.type:
        case ProblemType.READER_FIELD_MISSING_DEFAULT_VALUE:
            return (
                f"{where} is new and has no default, so events written before do not have it.",
                f"make {where} optional with a default, {_NEW_MAJOR}",
            )
        case ProblemType.MISSING_ENUM_SYMBOLS:
            return (
                f"{where} no longer allows {problem.message}, which earlier events may hold.",
                f"keep the symbols, give the enum a default symbol, {_NEW_MAJOR}",
            )
        case ProblemType.MISSING_UNION_BRANCH:
            return (
                f"{where} no longer accepts {_spelled(problem.writer)}, which earlier events may hold.",
                f"keep {_spelled(problem.writer)} among the types of {where}, {_NEW_MAJOR}",
            )
        case ProblemType.TYPE_MISMATCH:
            return (
                f"{where} holds {_spelled(problem.writer)} in earlier events, and {_spelled(problem.reader)} "
                "cannot be read from that.",
                f"keep the type of {where}, {_NEW_MAJOR}",
            )
    return _explain_both(problem, was=problem.writer, now=problem.reader)


def explain_forward(problem: Problem) -> tuple[str, str]:
    """What it means that earlier readers cannot read new events; and what to do."""
    where = _where(problem)
    match problem.type:
        case ProblemType.READER_FIELD_MISSING_DEFAULT_VALUE:
            return (
                f"{where} is gone, and earlier readers need it: it has no default there.",
                f"keep {where}, {_NEW_MAJOR}",
            )
        case ProblemType.MISSING_ENUM_SYMBOLS:
            return (
                f"{where} may now hold {problem.message}, which earlier readers do not know.",
                f"keep to the earlier symbols, {_NEW_MAJOR}",
            )
        case ProblemType.MISSING_UNION_BRANCH:
            return (
                f"{where} may now hold {_spelled(problem.writer)}, which earlier readers do not accept.",
                f"keep to the earlier types of {where}, {_NEW_MAJOR}",
            )
        case ProblemType.TYPE_MISMATCH:
            return (
                f"{where} may now hold {_spelled(problem.writer)}, where earlier readers expect "
                f"{_spelled(problem.reader)}.",
                f"keep the type of {where}, {_NEW_MAJOR}",
            )
    return _explain_both(problem, was=problem.reader, now=problem.writer)


def _explain_both(problem: Problem, *, was: Node, now: Node) -> tuple[str, str]:
    where = _where(problem)
    match problem.type:
        case ProblemType.AMBIGUOUS_FIELD_ALIASES:
            return (
                f"{where} is ambiguous: through aliases, the {problem.message}.",
                "remove the aliases that name fields still in use",
            )
        case ProblemType.FIXED_SIZE_MISMATCH:
            assert isinstance(was, Fixed)
            assert isinstance(now, Fixed)
            return f"{where} was {was.size} bytes long and is now {now.size}.", f"keep the size, {_NEW_MAJOR}"
    assert isinstance(was, Named)
    assert isinstance(now, Named)
    return (
        f"The type of {where} was named {was.fullname} and is now named {now.fullname}.",
        f'keep the name, or add "aliases": ["{was.fullname}"] to {now.fullname}',
    )


def _where(problem: Problem) -> str:
    return f"field {problem.field!r}" if problem.field else "the event itself"


def _spelled(node: Node) -> str:
    if isinstance(node, Named | Reference):
        return f"{'enum' if isinstance(node, Enum) else node.kind} {node.fullname}"
    return node.kind
