"""`python -m mesh.streams PACKAGE.MODULE:OBJECT`: run a WindowedStream as a process of its own.

It stops by SIGTERM, SIGINT or, with --exit-with-parent, when its stdin ends. Exit code 0 after a clean
stop, 70 when it hung, otherwise the error's own.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from mesh.errors import UsageError
from mesh.streams.model import Stop, WindowedStream
from mesh.streams.process import run_process


def run(names: list[str], stop: Stop) -> None:
    """Connect the stream that is named to the mesh in force, and run it."""
    from mesh import config
    from mesh.adapters.kafka_sender import KafkaSender
    from mesh.connection import connect
    from mesh.decoding import Decoder
    from mesh.streams.worker import run_stream

    stream = _named(names)
    settings = config.load()
    state = config.find_state(Path.cwd(), os.environ)
    folder = state / "streams" / stream.product
    folder.mkdir(parents=True, exist_ok=True)
    with connect(settings) as mesh, mesh.publisher(stream.product) as publish:
        source = mesh.port(stream.reads)
        run_stream(
            stream,
            bootstrap=settings.bootstrap,
            source=source,
            decoder=Decoder(source, mesh.registry),
            publish=publish,
            sender=KafkaSender(settings.bootstrap),
            group=stream.product,
            state_dir=folder,
            stop=stop,
        )


def _named(names: list[str]) -> WindowedStream[Any]:
    fix = "python -m mesh.streams PACKAGE.MODULE:OBJECT"
    if len(names) != 1:
        raise UsageError("one stream at a time", code="MESH-U072", why=f"named: {names}", fix=fix)
    module, _, attribute = names[0].partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"{names[0]} cannot be found", code="MESH-U072", why=str(error), fix=fix) from error
    if not isinstance(found, WindowedStream):
        why = f"it is a {type(found).__name__}"
        raise UsageError(f"{names[0]} is no WindowedStream", code="MESH-U072", why=why, fix=fix)
    return found


if __name__ == "__main__":
    run_process(run, sys.argv[1:])
