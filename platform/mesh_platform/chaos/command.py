"""`mesh chaos`: kill everything again and again under load, and say whether anything was lost or doubled."""

from __future__ import annotations

import random
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mesh.cli.output import data, note

if TYPE_CHECKING:
    from mesh_platform.chaos.plan import Wish


def chaos(
    kills: Annotated[int, typer.Option("--kills", min=0, help="How many processes die.")] = 30,
    events: Annotated[int, typer.Option("--events", min=1, help="Acknowledged at least.")] = 10_000,
    seed: Annotated[int | None, typer.Option("--seed", help="Decides who dies when; default: any.")] = None,
    broker: Annotated[
        Literal["embedded", "kafka", "external"],
        typer.Option("--broker", help="Whose nodes die; external: MESH_KAFKA_BOOTSTRAP, left alone."),
    ] = "embedded",
    nodes: Annotated[int, typer.Option("--nodes", help="Kafka nodes: 1 or 3.")] = 3,
    publishers: Annotated[int, typer.Option("--publishers", min=1, help="How many publish.")] = 2,
    consumers: Annotated[int, typer.Option("--consumers", min=0, help="Members of the group.")] = 2,
    pipelines: Annotated[int, typer.Option("--pipelines", min=0, help="Workers that derive.")] = 2,
    rate: Annotated[float, typer.Option("--rate", min=0, help="Events per second; 0: at most.")] = 1000,
    minutes: Annotated[
        float, typer.Option("--minutes", min=0, help="End the load then, at the latest.")
    ] = 60,
    broken: Annotated[
        list[str] | None, typer.Option("--broken", help="Break actors on purpose: they must be found.")
    ] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Write the report as a page.")] = None,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Where data and histories go, and stay.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report as one JSON document.")] = False,
) -> None:
    """Kill publishers, handlers, pipelines and brokers under load; check that nothing is lost or doubled.

    Exits 0 when every check was made and found nothing. Example: mesh chaos --kills 30 --broker kafka
    """
    from mesh_platform.chaos.campaign import campaign
    from mesh_platform.chaos.document import page
    from mesh_platform.chaos.plan import Wish
    from mesh_platform.chaos.report import table

    wish = Wish(
        seed=random.randrange(10**6) if seed is None else seed,
        kills=kills,
        events=events,
        broker=broker,
        nodes=nodes if broker == "kafka" else 1,
        publishers=publishers,
        consumers=consumers,
        pipelines=pipelines,
        rate=rate,
        minutes=minutes,
        bootstrap=_bootstrap(broker),
        broken=tuple(map(_known, broken or ())),
    )
    place = folder or Path(tempfile.mkdtemp(prefix="mesh-chaos-"))
    place.mkdir(parents=True, exist_ok=True)
    note(f"seed {wish.seed}; data and histories: {place}")
    found = campaign(place, wish, note)
    if report is not None:
        report.write_text(page(found, wish, _command(wish, report)))
    if as_json:
        data(found.as_json())
    else:
        print(table(found.rows()))
    for finding in found.findings[:20]:
        note(f"{finding.check}: {finding.what[:300]}")
    for check, why in found.unknown.items():
        note(f"{check} is unknown: {why}")
    if found.verdict != "valid":
        note(f"histories: {place}")
        raise typer.Exit(1)
    if folder is None:
        shutil.rmtree(place)


def _command(wish: Wish, report: Path) -> str:
    asked: dict[str, object] = {
        "broker": wish.broker,
        "kills": wish.kills,
        "events": wish.events,
        "seed": wish.seed,
    }
    asked |= {"publishers": wish.publishers, "consumers": wish.consumers, "pipelines": wish.pipelines}
    asked |= {"rate": f"{wish.rate:g}", "minutes": f"{wish.minutes:g}", "report": str(report)}
    asked |= {"nodes": wish.nodes} if wish.broker == "kafka" else {}
    words = [word for name, value in asked.items() for word in (f"--{name}", str(value))]
    words += [word for kind in wish.broken for word in ("--broken", kind)]
    return shlex.join(["mesh", "chaos", *words])


def _bootstrap(broker: str) -> str:
    import os

    from mesh.errors import UsageError

    found = os.environ.get("MESH_KAFKA_BOOTSTRAP", "") if broker == "external" else ""
    if broker == "external" and not found:
        raise UsageError(
            "no Kafka is named that the campaign may use",
            code="MESH-U185",
            where="MESH_KAFKA_BOOTSTRAP",
            why="--broker external publishes to a Kafka that runs elsewhere",
            fix="MESH_KAFKA_BOOTSTRAP=host:9092 mesh chaos --broker external",
        )
    return found


def _known(broken: str) -> str:
    from mesh.errors import UsageError
    from mesh_platform.chaos.broken import KINDS

    known = [kind for kinds in KINDS.values() for kind in kinds]
    if broken not in known:
        raise UsageError(
            f"nothing is broken in the way of {broken!r}",
            code="MESH-U186",
            where="--broken",
            why=f"known: {', '.join(known)}",
            fix=f"mesh chaos --broken {known[0]}",
        )
    return broken
