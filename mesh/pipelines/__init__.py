"""The code behind a product: sources bring events in, pipelines derive them from others, exactly once.

    @source("operations.departures")
    def departures() -> Iterator[pa.Table]: ...

    @pipeline("punctuality.delay-causes", reads="operations.departures", tables=("fleet.aircraft",))
    def delay_causes(departures: pa.RecordBatch, aircraft: pa.Table) -> pa.Table: ...

A product file names such a value as its `implementation`; `mesh run` runs it.
"""

from mesh.figures import Figures
from mesh.pipelines.model import Derived, Events, Pipeline, Source, pipeline, run_source, source
from mesh.pipelines.run import Pace, PipelineRun

__all__ = [
    "Derived",
    "Events",
    "Figures",
    "Pace",
    "Pipeline",
    "PipelineRun",
    "Source",
    "pipeline",
    "run_source",
    "source",
]
