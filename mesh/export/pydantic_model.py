"""Contract to the source of a Pydantic model: strict types, constraints, descriptions."""

from __future__ import annotations

import re

from mesh.contract.model import Contract
from mesh.export.pydantic_classes import Classes
from mesh.export.python_source import Bracketed, identifier, laid_out


def model_source(contract: Contract) -> str:
    """The Python source of a contract's events, for a module of its own."""
    classes = Classes(contract.properties)
    classes.record(class_name(contract.schema_name), contract.purpose, contract.properties)
    lines = [f'"""Events of {contract.id}, version {contract.version}."""', ""]
    lines += ["from __future__ import annotations", "", *_imports(classes.imports)]
    for made in classes.made:
        lines += ["", "", *made]
    return "\n".join(lines) + "\n"


def class_name(text: str) -> str:
    """A name for a class: `RouteDelays` for `route-delays`, `Departure` as it is."""
    words = re.split(r"[\W_]+" if text.islower() else r"\W+", text)
    return identifier("".join(word[:1].upper() + word[1:] for word in words))


def _imports(wanted: set[tuple[str, str]]) -> list[str]:
    modules: dict[str, list[str]] = {}
    for module, name in sorted(wanted, key=lambda pair: (pair[0] == "pydantic", pair)):
        modules.setdefault(module, []).append(name)
    lines: list[str] = []
    for module, names in modules.items():
        if module == "pydantic" and lines:
            lines.append("")
        line = f"from {module} import {', '.join(names)}"
        whole = laid_out(f"from {module} import ", Bracketed("(", names, ")"), "", 0)
        lines += [line] if len(whole) == 1 else whole
    return lines
