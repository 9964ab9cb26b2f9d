"""`python -m mesh.streams PACKAGE.MODULE:OBJECT`: run a stream as a process of its own.

It stops by SIGTERM, SIGINT or, with --exit-with-parent, when its stdin ends. Exit code 0 after a clean
stop, 70 when it hung, otherwise the error's own.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

from mesh.errors import UsageError
from mesh.streams.model import Stateful, Stop
from mesh.streams.process import run_process


def run(names: list[str], stop: Stop) -> None:
    """Connect the stream that is named to the mesh in force, and run it."""
    from mesh import config
    from mesh.adapters.kafka_transactions import TransactionalSender
    from mesh.connection import connect
    from mesh.decoding import Decoder
    from mesh.streams.worker import run_stream

    stream = _named(names)
    settings = config.load()
    state = config.find_state(Path.cwd(), os.environ)
    folder = state / "streams" / stream.product
    folder.mkdir(parents=True, exist_ok=True)
    with connect(settings) as mesh, ExitStack() as closing:
        source = mesh.port(stream.reads)
        tables = {name: mesh.lookup(name) for name in stream.tables}
        for table in tables.values():
            closing.callback(table.close)
        run_stream(
            stream,
            bootstrap=settings.bootstrap,
            source=source,
            decoder=Decoder(source, mesh.registry),
            tables={name: table.current for name, table in tables.items()},
            transactions=lambda: TransactionalSender(settings.bootstrap, stream.product),
            publisher=lambda sender: mesh.publisher(stream.product, sender=sender),
            group=stream.product,
            state_dir=folder,
            stop=stop,
        )


def _named(names: list[str]) -> Stateful[Any, Any]:
    fix = "python -m mesh.streams PACKAGE.MODULE:OBJECT"
    if len(names) != 1:
        raise UsageError("one stream at a time", code="MESH-U072", why=f"named: {names}", fix=fix)
    module, _, attribute = names[0].partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"{names[0]} cannot be found", code="MESH-U072", why=str(error), fix=fix) from error
    if not isinstance(found, Stateful):
        why = f"it is a {type(found).__name__}"
        raise UsageError(f"{names[0]} is no stream", code="MESH-U072", why=why, fix=fix)
    return found


if __name__ == "__main__":
    run_process(run, sys.argv[1:])
