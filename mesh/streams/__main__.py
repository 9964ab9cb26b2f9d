"""`python -m mesh.streams PACKAGE.MODULE:OBJECT`: run a stream as a process of its own.

It stops by SIGTERM, SIGINT or, with --exit-with-parent, when its stdin ends. With --reports it tells its
figures on stdout, a JSON line a second. Exit code 0 after a clean stop, 70 when it hung, otherwise the
error's own.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from mesh.errors import UsageError
from mesh.streams.model import Stateful, Stop
from mesh.streams.process import run_process

REPORTS = "--reports"


def run(arguments: list[str], stop: Stop) -> None:
    """Connect the stream that is named to the mesh in force, and run it."""
    from mesh import config
    from mesh.adapters.kafka_transactions import TransactionalSender
    from mesh.adapters.slots import slot
    from mesh.connection import connect
    from mesh.decoding import Decoder
    from mesh.event import EventIds
    from mesh.figures import Figures, told
    from mesh.publishing import Publisher
    from mesh.streams.worker import run_stream

    stream = _named([argument for argument in arguments if argument != REPORTS])
    settings = config.load()
    state = config.find_state(Path.cwd(), os.environ)
    folder = state / "streams" / stream.product
    folder.mkdir(parents=True, exist_ok=True)
    with connect(settings) as mesh, ExitStack() as closing:
        name = closing.enter_context(slot(state / "streams", stream.product))
        figures = Figures()
        if REPORTS in arguments:
            closing.enter_context(told(figures, name))
        source, port = mesh.port(stream.reads), mesh.port(stream.product)
        schema_id = mesh.schema_key(port)
        ids = EventIds(os.urandom(8))
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
            publisher=lambda sender: Publisher(port, schema_id, sender, ids, lambda: datetime.now(UTC)),
            group=stream.product,
            state_dir=folder,
            stop=stop,
            figures=figures,
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
