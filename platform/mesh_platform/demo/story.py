"""The story itself, chapter by chapter; every claim it makes is looked up in the running mesh."""

from __future__ import annotations

import json
import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pyarrow

from mesh.cli.output import data, note, paint
from mesh.connection import Mesh
from mesh.declaration import Declaration, SourceFile, declare
from mesh.errors import EventError, MeshError, UsageError
from mesh_platform.demo import review
from mesh_platform.demo.counting import Counts, derived_done, end_of, quality_of
from mesh_platform.demo.example import example_root, sources
from mesh_platform.demo.voice import Voice
from mesh_platform.processes import ManagedProcess
from mesh_platform.up import BrokerKind, Up, Wanted, bring_up, child

MARK = "made-by-mesh-demo"
#: in the state folder: the figures, for whoever looks at it later
REPORT = "report.json"
SOURCES = (
    "fleet.aircraft",
    "network.airports",
    "network.carriers",
    "weather.observations",
    "operations.cancellations",
    "operations.departures",
)
DERIVED = ("punctuality.delay-causes", "punctuality.route-delays")
BAD_EVENT = {"carrier": "too long", "distance_miles": -1}


@dataclass(frozen=True, slots=True)
class Options:
    """What the command was asked for."""

    state: Path
    broker: str
    port: int
    serve: bool
    as_json: bool


@dataclass(slots=True)
class Figures:
    """What was counted on the way."""

    published: dict[str, int] = field(default_factory=dict)
    counts: dict[str, Counts] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def hold(self) -> bool:
        """Whether every topic has exactly what was published, and every chapter said yes."""
        exact = all(self.counts[name].events == count for name, count in self.published.items())
        return exact and not self.facts.get("problems")


def tell(options: Options) -> int:
    """Tell it; answers the exit code: 0 when everything held."""
    # Arrow would take Ctrl-C for itself while it reads a file, and may lose it: it is for us.
    pyarrow.enable_signal_handlers(False)
    _clear(options.state)
    voice = Voice()
    root = example_root()
    sys.path.insert(0, str(root))  # the example's own code: domains.<domain>.<product>
    figures = Figures()
    voice.chapter(f"A mesh comes up: {options.broker} broker, schema registry, catalog, quality worker")
    wanted = Wanted(options.state, cast(BrokerKind, options.broker), options.port)
    with bring_up(wanted, voice.say) as up:
        voice.good(f"Kafka on {up.bootstrap}, platform on {up.url}")
        _chapters(up, root, options, voice, figures)
        report = {"format_version": "1.0", "holds": figures.hold, **figures.facts, **_table(figures)}
        (options.state / REPORT).write_text(json.dumps(report, indent=2) + "\n")
        if options.as_json:
            data(report)
        if options.serve:
            _keep_serving(up)
    return 0 if figures.hold else 1


def _chapters(up: Up, root: Path, options: Options, voice: Voice, figures: Figures) -> None:
    from mesh.config import Settings

    settings = Settings(up.bootstrap, up.url, f"{up.url}/registry", up.token)
    with Mesh(settings) as mesh:
        files = sources(root)
        declared = _declare(mesh, files, voice)
        _publish_tables(mesh, voice, figures)
        workers = [_worker(name, up, root, options.state) for name in DERIVED]
        try:
            for worker in workers:
                worker.launch()
            _publish_flights(mesh, voice, figures)
            _refuse(mesh, voice, figures)
            _derive(mesh, workers, voice, figures)
            _quality(mesh, declared, up, voice, figures)
            _consume(mesh, voice)
            review.chapter(mesh, files, declared, voice, figures.facts)
        finally:
            for worker in workers:
                worker.stop()
        figures.facts["seconds"] = round(voice.seconds, 1)
        _summary(up, voice, figures)


def _declare(mesh: Mesh, files: list[SourceFile], voice: Voice) -> Declaration:
    from mesh.apply import apply
    from mesh.plan import make_plan

    voice.chapter("Domains declare their products: contracts and products are files, checked like code")
    declared = declare(files).require()
    voice.good(f"mesh check: {len(declared.contracts)} contracts, {len(declared.products)} products hold")
    world = mesh.world()
    plan = make_plan(declared, world.actual(declared))
    with voice.progress("mesh apply", len(plan.changes)) as advance:
        for _ in apply(plan, world):
            advance(1)
    again = make_plan(declared, world.actual(declared))
    if again.changes:
        raise MeshError("a second plan is not empty", code="MESH-M010", why=str(again.changes[0]))
    voice.good(f"mesh plan, mesh apply: {len(plan.changes)} changes made; a second plan is empty")
    return declared


def _publish_tables(mesh: Mesh, voice: Voice, figures: Figures) -> None:
    voice.chapter("They publish: every event is checked against its contract, encoded as Avro, acknowledged")
    for name in SOURCES[:-2]:
        _publish(mesh, name, voice, figures)


def _publish_flights(mesh: Mesh, voice: Voice, figures: Figures) -> None:
    for name in SOURCES[-2:]:
        _publish(mesh, name, voice, figures)


def _publish(mesh: Mesh, product: str, voice: Voice, figures: Figures) -> None:
    from importlib import import_module

    from mesh.pipelines import run_source

    domain, _, name = product.partition(".")
    source = getattr(import_module(f"domains.{domain}.{name}"), name)
    tables = list(source.events())
    total = sum(table.num_rows for table in tables)
    began = time.perf_counter()
    with voice.progress(product, total) as advance, mesh.publisher(product) as publish:
        for count in run_source(type(source)(product, lambda: tables), publish):
            advance(count)
    seconds = time.perf_counter() - began
    figures.published[product] = total
    voice.good(f"{product}: {total:,} events in {seconds:.1f} s ({total / seconds:,.0f}/s)")


def _refuse(mesh: Mesh, voice: Voice, figures: Figures) -> None:
    voice.chapter("A bad event: refused at once, or set aside with its bytes and the reason")
    row = next(mesh.read("operations.departures", last=1).rows())
    with mesh.publisher("operations.departures") as publish:
        try:
            publish({**row, **BAD_EVENT})
        except EventError as error:
            voice.good(f"refused: {error.error_code} {error.why}")
        else:
            figures.facts.setdefault("problems", []).append("a bad event was not refused")
        set_aside = publish.many([{**row, **BAD_EVENT}], on_violation="dead-letter")
    voice.good(f"set aside: {set_aside.dead_letters} event on operations.departures.v1.dlq, with the reason")


def _derive(mesh: Mesh, workers: list[ManagedProcess[Any]], voice: Voice, figures: Figures) -> None:
    voice.chapter("Two products are derived: delay-causes by a join, route-delays by Faust in daily windows")
    wanted = figures.published["operations.departures"]
    with voice.progress("behind", wanted * len(DERIVED)) as advance:
        before = 0
        for done in derived_done(mesh, DERIVED, workers):
            advance(done - before)
            before = done
    for name in DERIVED:
        counted = end_of(mesh, name)
        figures.counts[name] = counted
        voice.good(f"{name}: {counted.events:,} events, {counted.keys:,} keys")


def _quality(mesh: Mesh, declared: Declaration, up: Up, voice: Voice, figures: Figures) -> None:
    voice.chapter("Great Expectations has looked at every window of every stream")
    figures.facts["quality"] = quality_of(mesh, declared, up.processes, voice)
    for name in SOURCES:
        figures.counts[name] = end_of(mesh, name)


def _consume(mesh: Mesh, voice: Voice) -> None:
    voice.chapter("A consumer subscribes in three lines")
    voice.say('for batch in mesh.subscribe("punctuality.delay-causes", group="demo.board").batches(): …')
    causes: dict[str, int] = {}
    fields = ("flight_id", "likely_cause")
    with mesh.subscribe(
        "punctuality.delay-causes", group="demo.board", fields=fields, purpose="which causes matter"
    ) as subscription:
        while (batch := subscription.poll(wait_seconds=3.0)) is not None:
            for entry in batch.events.column("likely_cause").value_counts().to_pylist():
                causes[entry["values"]] = causes.get(entry["values"], 0) + entry["counts"]
    total = sum(causes.values())
    for cause, count in sorted(causes.items(), key=lambda item: -item[1]):
        voice.good(f"{cause}: {count:,} late departures ({100 * count / total:.0f} %)")


def _worker(product: str, up: Up, root: Path, state: Path) -> ManagedProcess[Any]:
    # Warnings of libraries are theirs to mend; the log keeps them out of the story.
    argv = [sys.executable, "-m", "mesh.cli", "run", product]
    return child(product, argv, state, up.environment(), root)


def _table(figures: Figures) -> dict[str, Any]:
    rows = {
        name: {"published": figures.published.get(name), "events": counted.events, "keys": counted.keys}
        for name, counted in sorted(figures.counts.items())
    }
    return {"products": rows}


def _summary(up: Up, voice: Voice, figures: Figures) -> None:
    voice.chapter("What stands")
    for name, counted in sorted(figures.counts.items()):
        published = figures.published.get(name)
        told = f"{name:28} {counted.events:>9,} events"
        if published is None:
            voice.say(f"{told}  derived, {counted.keys:,} keys")
        elif published == counted.events:
            voice.good(f"{told}  all that were published")
        else:
            voice.bad(f"{told}  of {published:,} published")
    for problem in figures.facts.get("problems", []):
        voice.bad(problem)
    verdict = (
        paint("everything held", "green", sys.stderr)
        if figures.hold
        else paint("not all held", "red", sys.stderr)
    )
    note(f"\n{verdict}: {voice.seconds:.1f} s from nothing to a reviewed mesh")
    note(f"catalog: {up.url}/signin#{up.token}")


def _keep_serving(up: Up) -> None:
    from mesh.cli.stopping import until_stopped

    note("serving until Ctrl-C")
    with until_stopped(exit_with_parent=False) as going_on:
        while going_on() and up.dead() is None:
            time.sleep(0.2)


def _clear(state: Path) -> None:
    """The demo starts anew each time, in a folder that is its own; any other folder is left alone."""
    mark = state / MARK
    if state.exists() and any(state.iterdir()):
        if not mark.exists():
            raise UsageError(
                "this folder was not made by mesh demo",
                code="MESH-U062",
                where=str(state),
                why="the demo starts from nothing, and would delete what is in it",
                fix="mesh demo   (without --state), or name an empty folder",
            )
        shutil.rmtree(state)
    state.mkdir(parents=True, exist_ok=True)
    mark.write_text("The demo may delete this folder when it starts again.\n")
