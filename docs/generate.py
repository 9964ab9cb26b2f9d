"""The generated pages of the reference: `python docs/generate.py` writes them, `--check` compares.

`reference/errors.md` is read from the source text by its syntax tree (nothing is imported),
`reference/cli.md` from the command itself.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
SOURCES = ("mesh", "platform/mesh_platform", "domains")
MADE = "<!-- Made by docs/generate.py; do not edit. -->\n"

CODE = re.compile(r"MESH-[A-Z][0-9]{3}")
_IN_TABLE = re.compile(r"(MESH-[A-Z][0-9]{3}) {2,}(.+?)(?= {2,}|$)", re.MULTILINE)

#: letter: (heading, what ends in it, exit code)
KINDS: Mapping[str, tuple[str, str, str]] = {
    "U": ("Usage", "`UsageError`: the command, call or setting itself is wrong.", "2"),
    "C": ("Contracts and products", "`DeclarationError`: a declaration does not hold.", "1"),
    "A": (
        "Avro schemas",
        "`SchemaError`, `IncompatibleSchema`: a schema is invalid, unsafe or breaks readers.",
        "1",
    ),
    "E": ("Events", "`EventError`: an event does not fit its contract.", "1"),
    "P": ("Plans and the broker's start", "`PlanError`: something cannot be made or carried out.", "1"),
    "G": ("Governance", "`ReviewError`: a proposal or a decision is refused.", "1"),
    "R": (
        "Schema registry",
        "`RegistryError`: the registry refused; Confluent's error code stands beside it.",
        "1",
    ),
    "K": ("Kafka", "The broker answered, and said no.", "1"),
    "S": ("The platform's answers", "Refusals of the platform's API and of its control log.", "1"),
    "X": ("Unreachable", "`UnreachableError`: a broker, registry, platform or program does not answer.", "4"),
    "M": ("Everything else", "`MeshError`: what fits nowhere else.", "1, 2 for M999, 70 for M071"),
}
#: What stands beside these codes is not a text in the source, but an attribute or a parameter.
IN_WORDS: Mapping[str, str] = {
    "MESH-C030": "the contract's version is not MAJOR.MINOR.PATCH",
    "MESH-C033": "physicalName is not a topic name of the mesh",
    "MESH-C053": "the product's version is not MAJOR.MINOR.PATCH",
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


def errors_page() -> str:
    """`reference/errors.md`."""
    lines = [MADE, "# Errors\n"]
    lines.append(
        "Every error has a code, says what happened, where, why, and the next command. The letter tells the\n"
        "kind; `…` stands for what is filled in. A command that fails ends with the exit code of the kind;\n"
        "all exit codes are in [cli.md](cli.md). In Python every error is a `mesh.MeshError`: `error_code`,\n"
        "`what`, `where`, `why` and `fix` are its attributes.\n"
    )
    found = errors()
    for letter, (heading, meaning, exit_code) in KINDS.items():
        codes = sorted(code for code in found if code[5] == letter)
        lines.append(f"## {heading}: MESH-{letter}\n")
        lines.append(f"{meaning} Exit code {exit_code}.\n")
        lines.append("| code | what it says | why | next |\n| --- | --- | --- | --- |")
        for code in codes:
            lines.append(_row(code, found[code]))
        lines.append("")
    return "\n".join(lines)


def _row(code: str, told: list[Told]) -> str:
    columns = [[t.what for t in told], [t.why for t in told], [t.next for t in told]]
    return "| " + " | ".join([f"`{code}`", *(_cell(column) for column in columns)]) + " |"


def _cell(texts: Iterable[str]) -> str:
    kept = dict.fromkeys(re.sub(r"\s+", " ", text).strip() for text in texts if text)
    return "<br>".join(text.replace("|", "\\|").replace("<", "&lt;") for text in kept)


def cli_page() -> str:
    """`reference/cli.md`."""
    lines = [MADE, "# The command line\n"]
    lines.append(
        "One command, `mesh`. Data goes to standard output, everything else to standard error, so `--json`\n"
        "can be piped. Colour is for terminals only, and `NO_COLOR` turns it off.\n"
    )
    lines.append("| exit code | meaning |\n| --- | --- |")
    lines += [f"| {code} | {meaning} |" for code, meaning in EXITS]
    lines.append("")
    for name, command in sorted(commands().items()):
        lines += _command(name, command)
    return "\n".join(lines)


EXITS = (
    ("0", "it went well"),
    ("1", "a check failed, a change was refused, readers would break"),
    ("2", "the command was wrong, or something unforeseen happened"),
    ("3", "the plan has changes (`mesh plan --detailed-exitcode` only)"),
    ("4", "broker, registry or platform does not answer"),
    ("70", "a windowed stream hung and ended itself, so that it can be started again"),
    ("130", "Ctrl-C"),
)


def commands() -> dict[str, Any]:
    """The verbs of `mesh` by name."""
    from typer.main import get_command

    from mesh.cli.main import build

    made: Any = get_command(build())
    return {name: command for name, command in made.commands.items() if not command.hidden}


def _command(name: str, command: Any) -> Iterator[str]:
    text, _, example = (command.help or "").partition("Example: ")
    shown = [p for p in command.params if not getattr(p, "hidden", False)]
    arguments = [p for p in shown if p.param_type_name == "argument"]
    options = [p for p in shown if p.param_type_name == "option"]
    usage = " ".join(p.name.upper() if p.required else f"[{p.name.upper()}]" for p in arguments)
    yield f"## mesh {name}\n"
    yield f"{text.strip()}\n"
    yield "```text"
    yield " ".join(part for part in (f"mesh {name}", usage, "[options]" if options else "") if part)
    yield "```\n"
    if example:
        yield f"Example: `{example.strip()}`\n"
    if shown:
        yield "| argument or option | meaning |\n| --- | --- |"
        yield from (f"| `{p.name.upper()}` | {_meaning(p)} |" for p in arguments)
        yield from (f"| {_spelling(p)} | {_meaning(p)} |" for p in options)
        yield ""


def _spelling(option: Any) -> str:
    return ", ".join(f"`{spelling}`" for spelling in (*option.opts, *option.secondary_opts))


def _meaning(param: Any) -> str:
    said = [(getattr(param, "help", None) or "").strip().replace("|", "\\|").replace("<", "&lt;")]
    if param.required:
        said.append("Required.")
    if param.default not in (None, False, "", ()) and isinstance(param.default, str | int):
        said.append(f"Default: `{param.default}`.")
    if param.envvar:
        said.append(f"Environment: `{param.envvar}`.")
    return " ".join(part for part in said if part)


PAGES: Mapping[str, Callable[[], str]] = {
    "reference/errors.md": errors_page,
    "reference/cli.md": cli_page,
}


def main(arguments: list[str]) -> int:
    """Write the pages; with --check say which are stale and answer 1."""
    stale = 0
    for name, made in PAGES.items():
        page, file = made(), DOCS / name
        if file.is_file() and file.read_text(encoding="utf-8") == page:
            continue
        stale = 1
        if "--check" in arguments:
            print(f"docs/{name} is stale; run: python docs/generate.py", file=sys.stderr)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(page, encoding="utf-8")
            print(f"docs/{name}")
    return stale if "--check" in arguments else 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    raise SystemExit(main(sys.argv[1:]))
