"""`python -m mesh.adapters.rego_worker`: one Rego module, asked about documents, in a process to kill.

The interpreter is native and knows no limit of its own; here a hang ends a child, not the mesh.
The first line is `{"name": …, "source": …}`. Then comes one document per line, each answered by a line:
`{"found": …}` or `{"error": …}`.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

_PACKAGE = re.compile(r"^\s*package\s+([A-Za-z_][\w.]*)\s*$", re.MULTILINE)


def main() -> None:
    """Answer until standard input ends."""
    first = json.loads(sys.stdin.readline())
    ask = _compiled(first["name"], first["source"])
    for line in sys.stdin:
        sys.stdout.write(json.dumps(ask(json.loads(line))) + "\n")
        sys.stdout.flush()


def _compiled(name: str, source: str) -> Any:
    from regopy import Interpreter, LogLevel, RegoError

    found = _PACKAGE.search(source)
    if found is None:
        return lambda _document: {"error": "the module has no package"}
    interpreter = Interpreter()
    interpreter.log_level = LogLevel.NONE

    def ask(document: Any) -> dict[str, Any]:
        try:
            interpreter.set_input(document)
            results = interpreter.query(f"data.{found[1]}").results
        except (RegoError, ValueError) as error:
            return {"error": _short(error)}
        value = results[0].expressions[0] if results and results[0].expressions else None
        return {"found": value if isinstance(value, dict) else {}}

    try:
        interpreter.add_module(name, source)
    except RegoError as error:
        reason = _short(error)
        return lambda _document: {"error": reason}
    return ask


def _short(error: Exception) -> str:
    said = re.findall(r"errormsg \d+:([^()]*)\)", str(error))
    return "; ".join(dict.fromkeys(said))[:300] or str(error)[:300]


if __name__ == "__main__":
    main()
