"""`reference/cli.md`: every verb of `mesh`, from the command itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def cli_page() -> str:
    """`reference/cli.md`."""
    lines = ["# The command line\n"]
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
    """The verbs of `mesh` by name; those of a group with the group's name before."""
    from typer.main import get_command

    from mesh.cli.main import build

    return dict(_verbs(get_command(build())))


def _verbs(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _verbs(command, f"{before}{name} ")
        elif not command.hidden:
            yield before + name, command


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
