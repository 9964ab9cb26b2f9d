"""What the platform adds to `mesh`: up, down, status, token, serve, demo, chaos, broker."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from mesh.cli.output import data, note, paint
from mesh.cli.rules import WINDOW_ENGINES
from mesh_platform.audit_cli import commands as audit_commands
from mesh_platform.broker_cli import broker as broker_commands
from mesh_platform.chaos.command import chaos
from mesh_platform.profile import Profile
from mesh_platform.token_cli import token as token_commands

if TYPE_CHECKING:
    from mesh.contract.model import Contract
    from mesh.rules.inexpressible import Inexpressible

State = Annotated[
    Path | None, typer.Option("--state", help="State folder; default: the nearest .mesh, or a new one.")
]
ControlLogOption = Annotated[
    str,
    typer.Option(
        "--control-log",
        help="sqlite: a file of this process; kafka: a topic that several processes share.",
        envvar="MESH_CONTROL_LOG",
    ),
]


def commands(app: typer.Typer) -> None:
    """Join the platform's verbs."""
    for command in (up, down, status, serve, demo, chaos):
        app.command()(command)
    app.add_typer(broker_commands)
    app.add_typer(token_commands)
    audit_commands(app)
    WINDOW_ENGINES["Great Expectations"] = _expressed


def _expressed(contract: Contract) -> Mapping[tuple[str, str | None], str | Inexpressible]:
    from mesh_platform.quality.expressed import expressed

    return expressed(contract)


def _state(state: Path | None) -> Path:
    from mesh.config import find_state

    return state or find_state(Path.cwd(), os.environ)


def up(
    state: State = None,
    broker: Annotated[str, typer.Option("--broker", help="embedded, kafka or external.")] = "",
    port: Annotated[int, typer.Option("--port", help="The platform's port; 0: any free one.")] = 8080,
    nodes: Annotated[int, typer.Option("--nodes", help="Kafka nodes: 1 or 3.")] = 1,
    control_log: ControlLogOption = "sqlite",
) -> None:
    """Start broker, platform and quality worker, and serve until stopped.

    Example: mesh up --broker kafka --nodes 3
    """
    from mesh.cli.stopping import until_stopped
    from mesh_platform.log.choice import log_kind
    from mesh_platform.processes import ended_by_itself
    from mesh_platform.up import BrokerKind, Wanted, bring_up

    log = log_kind(control_log)
    folder = _state(state)
    _refuse_second(folder)
    bootstrap = os.environ.get("MESH_KAFKA_BOOTSTRAP", "")
    kind = broker or ("external" if bootstrap else "embedded")
    _check_broker(kind, bootstrap)
    wanted = Wanted(folder, cast(BrokerKind, kind), port, nodes, bootstrap, control_log=log)
    began = time.perf_counter()
    with until_stopped(exit_with_parent=False) as going_on, bring_up(wanted, note) as running:
        note(f"catalog   {paint(f'{running.url}/signin#{running.token}', 'bold', sys.stderr)}")
        note(f"registry  {running.url}/registry")
        note(f"Kafka     {running.bootstrap} ({kind})")
        note(f"up in {time.perf_counter() - began:.1f} s; Ctrl-C stops it")
        while going_on():
            time.sleep(0.2)
            dead = running.dead()
            if dead is not None:
                raise ended_by_itself(dead.program.name, dead.program.log, ", then: mesh up")
    note("stopped")


def down(state: State = None) -> None:
    """Stop the mesh that `mesh up` started here.

    Example: mesh down
    """
    from mesh_platform.running import read_running

    running = read_running(_state(state))
    if running is None:
        note("nothing runs here")
        return
    os.kill(running.pid, signal.SIGTERM)
    for _ in range(300):
        if read_running(_state(state)) is None:
            break
        time.sleep(0.1)
    note("stopped")


def status(
    state: State = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Say what runs here, and whether it answers; exits 4 when nothing does.

    Example: mesh status --json
    """
    from mesh.connection import connect
    from mesh.errors import UnreachableError
    from mesh_platform.running import read_running

    folder = _state(state)
    running = read_running(folder)
    if running is None and not os.environ.get("MESH_PLATFORM_URL"):
        raise UnreachableError(
            "no mesh is running here",
            code="MESH-X005",
            where=str(folder),
            why="nothing was started",
            fix="mesh up",
        )
    with connect() as mesh:
        topics = len(mesh.world().broker.topics())
        products = len(mesh.platform.products())
        where = mesh.settings
    kind = running.broker if running else "external"
    facts = {
        "broker": kind,
        "bootstrap": where.bootstrap,
        "platform": where.platform_url,
        "registry": where.registry_url,
    }
    if as_json:
        data({"format_version": "1.0", **facts, "topics": topics, "products": products})
        return
    for name, value in {**facts, "topics": str(topics), "products": str(products)}.items():
        print(f"{name:10}{value}")


def serve(
    bootstrap: Annotated[
        str, typer.Option("--bootstrap", help="Kafka bootstrap servers.", envvar="MESH_KAFKA_BOOTSTRAP")
    ],
    state: State = None,
    host: Annotated[
        str, typer.Option("--host", help="Address; beyond loopback MESH_TOKEN_FILE is needed.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port; 0: any free one.")] = 8080,
    quality: Annotated[
        bool, typer.Option("--quality/--no-quality", help="Run the quality worker too.")
    ] = True,
    profile: Annotated[
        Profile | None,
        typer.Option(
            "--profile",
            help="Whether subjects of no contract take schemas: development (they do), server (they do not). "
            "Default: development on loopback.",
            envvar="MESH_PROFILE",
        ),
    ] = None,
    control_log: ControlLogOption = "sqlite",
    exit_with_parent: Annotated[bool, typer.Option("--exit-with-parent", hidden=True)] = False,
) -> None:
    """Serve the platform (registry, catalog, governance, quality) on a Kafka that runs elsewhere.

    Example: mesh serve --bootstrap kafka-1:9092
    """
    from mesh.cli.stopping import when_parent_ends
    from mesh_platform.log.choice import log_kind
    from mesh_platform.log.moving import log_in_use
    from mesh_platform.serving import QUALITY, is_loopback, listening, token_for
    from mesh_platform.serving import serve as serve_here

    kind = log_kind(control_log)
    folder = _state(state)
    chosen = profile or Profile.fitting(loopback=is_loopback(host))
    token = token_for(folder, host, os.environ.get("MESH_TOKEN_FILE"))
    bound = listening(host, port)
    if exit_with_parent:
        when_parent_ends(lambda: os.kill(os.getpid(), signal.SIGTERM))
    url = f"http://{host}:{bound.getsockname()[1]}"

    def announce() -> None:
        print(json.dumps({"url": url, "pid": os.getpid()}), flush=True)

    workers = (QUALITY,) if quality else ()
    log = partial(log_in_use, kind, folder, bootstrap)
    serve_here(folder, bootstrap, bound, host, token, chosen, workers, log, announce)


def demo(
    state: Annotated[
        Path | None, typer.Option("--state", help="State folder, emptied first; default: .mesh/demo.")
    ] = None,
    broker: Annotated[str, typer.Option("--broker", help="embedded or kafka.")] = "embedded",
    port: Annotated[int, typer.Option("--port", help="The catalog's port; 0: any free one.")] = 0,
    keep_serving: Annotated[
        bool | None,
        typer.Option("--serve/--no-serve", help="Keep serving at the end; default: on a terminal."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The figures as one JSON document on stdout.")
    ] = False,
) -> None:
    """Tell the whole story on a year of real flights: declare, publish, check, derive, review.

    Example: mesh demo --no-serve
    """
    from mesh_platform.demo.story import Options, tell

    folder = state or Path.cwd() / ".mesh" / "demo"
    _refuse_second(folder)
    _check_broker(broker, "")
    serve_on = sys.stdin.isatty() and sys.stdout.isatty() if keep_serving is None else keep_serving
    raise typer.Exit(tell(Options(folder, broker, port, serve_on, as_json)))


def _refuse_second(folder: Path) -> None:
    from mesh.errors import UsageError
    from mesh_platform.running import read_running

    running = read_running(folder)
    if running is not None:
        raise UsageError(
            f"a mesh runs here already (process {running.pid})",
            code="MESH-U060",
            where=str(folder),
            why=f"it serves {running.platform_url}",
            fix="mesh down",
        )


def _check_broker(kind: str, bootstrap: str) -> None:
    from mesh.errors import UsageError

    if kind not in ("embedded", "kafka", "external") or (kind == "external" and not bootstrap):
        raise UsageError(
            f"--broker cannot be {kind!r}" if bootstrap else "--broker external needs MESH_KAFKA_BOOTSTRAP",
            code="MESH-U061",
            why="allowed: embedded, kafka, external (with MESH_KAFKA_BOOTSTRAP)",
            fix="mesh up --broker embedded",
        )
