"""What the source says of its error codes, read from its syntax tree; nothing is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("mesh", "platform/mesh_platform", "domains")
CODE = re.compile(r"MESH-[A-Z][0-9]{3}")
_IN_TABLE = re.compile(r"(MESH-[A-Z][0-9]{3}) {2,}(.+?)(?= {2,}|$)", re.MULTILINE)

#: What stands beside these codes is not a text in the source, but an attribute or a parameter.
IN_WORDS: Mapping[str, str] = {
    "MESH-C025": "something else that the standard's schema refuses",
    "MESH-C026": "the positions of the record key are no order: twice, missing, or not on a top property",
    "MESH-C030": "the contract's version is not MAJOR.MINOR.PATCH",
    "MESH-C033": "physicalName is not a topic name of the mesh",
    "MESH-C053": "the product's version is not MAJOR.MINOR.PATCH",
    "MESH-C080": "a relationship leads to a property that is not there",
    "MESH-C086": "an SLA property's value or unit cannot be measured",
    "MESH-C087": "the value of a quality rule's operator cannot be compared with",
    "MESH-C088": "a quality rule's metric is asked of the wrong place, or with the wrong arguments",
    "MESH-C090": "logicalTypeOptions or an enum contradict themselves",
    "MESH-C098": "a date or a time cannot be read",
    "MESH-C128": "readers or retained events would not understand what is declared now",
    "MESH-C129": "nobody can say whether readers would understand what is declared now",
    "MESH-C163": "a key of a policy file is unknown, missing, or has the wrong form",
    "MESH-C164": "a value of a policy file is not one that can stand there",
    "MESH-C165": "a pattern of a policy is not RE2, or too long",
    "MESH-E090": "a handler raised an error of its own",
    "MESH-P010": "a change of the plan is blocked, so nothing of it is carried out",
    "MESH-S400": "the platform refused without saying why (any other `MESH-S4…` is the HTTP status itself)",
    "MESH-S404": "the platform holds no such contract, product or proposal",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What the source says beside one code; `…` stands for what is filled in."""

    what: str
    why: str = ""
    next: str = ""


def errors() -> dict[str, list[Told]]:
    """Every error code of the source with what is said there, each saying once."""
    found: dict[str, list[Told]] = {}
    for file in files():
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for code, told in _told_in(tree):
            known = found.setdefault(code, [])
            if told.what and all(told.what != other.what for other in known):
                known.append(told)
    for code, said in IN_WORDS.items():
        if code in found:
            found[code].insert(0, Told(said))
    return found


def files() -> Iterator[Path]:
    """The source files that may name an error code or a setting."""
    for name in SOURCES:
        yield from sorted((ROOT / name).rglob("*.py"))


def _told_in(tree: ast.Module) -> Iterator[tuple[str, Told]]:
    table = dict(_IN_TABLE.findall(ast.get_docstring(tree) or ""))
    for scope in _scopes(tree):
        for node, parent in _owned(scope):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
                continue
            code = node.value[:9]
            if not CODE.fullmatch(code):
                continue
            words = _assigned(scope, node.lineno)
            if node.value == code:
                told = _beside(node, parent, words, scope, table)
            elif isinstance(parent, ast.JoinedStr) and parent.values[0] is node:
                told = Told(_text(parent, words).removeprefix(code).strip())
            else:
                continue
            if told is not None:
                yield code, told


def _beside(
    node: ast.Constant,
    parent: ast.AST,
    words: Mapping[str, ast.expr],
    scope: ast.AST,
    table: Mapping[str, str],
) -> Told | None:
    code = str(node.value)
    match parent:
        case _CallWithKeyword(call):
            named = {k.arg: k.value for k in call.keywords}
            first = named.get("message") or (call.args[0] if call.args else None)
            return Told(*(_text(part, words) for part in (first, named.get("why"), named.get("fix"))))
        case ast.Call(func=ast.Attribute(attr="get")):
            return Told("")
        case ast.Call():
            after = parent.args[parent.args.index(node) + 1 :]
            before = parent.args[: parent.args.index(node)]
            said = [_text(part, words) for part in after if not isinstance(part, ast.Tuple)]
            said = said if any(said) else [_text(part, words) for part in before]
            return Told(*[*said, "", "", ""][:3])
        case ast.Dict():
            named = {str(getattr(k, "value", "")): v for k, v in zip(parent.keys, parent.values, strict=True)}
            parts = (
                named.get("what") or named.get("title"),
                named.get("why"),
                named.get("fix") or named.get("next"),
            )
            return Told(*(_text(part, words) for part in parts))
        case ast.Tuple() if all(CODE.fullmatch(str(getattr(e, "value", ""))) for e in parent.elts):
            return None
        case ast.Tuple():
            said = [_text(part, words) for part in parent.elts[parent.elts.index(node) + 1 :]]
            return Told(*[*said, "", "", ""][:3])
        case ast.Assign() | ast.AnnAssign() if isinstance(scope, ast.ClassDef):
            return Told((ast.get_docstring(scope) or "").split("\n")[0].rstrip("."))
        case ast.Assign() | ast.AnnAssign():
            return Told(table.get(code, ""))
    return Told("")


class _CallWithKeyword:
    """A call that the parent map names for its keyword `code=`."""

    __match_args__ = ("call",)

    def __init__(self, call: ast.Call) -> None:
        self.call = call


def _scopes(tree: ast.Module) -> Iterator[ast.AST]:
    yield tree
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node


def _owned(scope: ast.AST) -> Iterator[tuple[ast.AST, Any]]:
    """Nodes of a scope without those of scopes inside it, each with what holds it."""
    waiting: list[tuple[ast.AST, Any]] = [(child, scope) for child in ast.iter_child_nodes(scope)]
    while waiting:
        node, parent = waiting.pop(0)
        yield node, parent
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for child in ast.iter_child_nodes(node):
            holder: Any = node
            if isinstance(node, ast.keyword):
                holder = (
                    _CallWithKeyword(parent) if node.arg == "code" and isinstance(parent, ast.Call) else node
                )
            waiting.append((child, holder))


def _assigned(scope: ast.AST, line: int) -> dict[str, ast.expr]:
    """The text that each local name was given last before a line."""
    given = [
        (node.lineno, target.id, node.value)
        for node, _ in _owned(scope)
        if isinstance(node, ast.Assign) and node.lineno < line
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    return {name: value for _, name, value in sorted(given, key=lambda entry: entry[0])}


def _text(node: ast.AST | None, words: Mapping[str, ast.expr]) -> str:
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=values):
            return "".join(str(v.value) if isinstance(v, ast.Constant) else "…" for v in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _text(left, words) + (_text(right, words) or "…")
        case ast.IfExp(body=body):
            return _text(body, words) if isinstance(body, ast.Constant | ast.JoinedStr) else ""
        case ast.BoolOp(values=values):
            return next((text for text in (_text(v, words) for v in values[::-1]) if text), "")
        case ast.Name(id=name) if name in words and not isinstance(words[name], ast.Name):
            return _text(words[name], {})
    return ""
