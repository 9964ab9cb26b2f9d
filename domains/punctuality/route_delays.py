"""punctuality.route-delays: how late each route left, per UTC day.

Totals add up in any order and any grouping (`merge` is associative and commutative), so a window may be
fed batch by batch, partition by partition, and be right at every moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from domains._columns import compute
from mesh.streams import WindowedStream

LATE_MINUTES = 15
WINDOW = timedelta(days=1)

Window = tuple[str, datetime]  #: route (`EWR-IAH`) and start of the window in UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayTotals:
    """What has to be kept of a set of departures; delays in minutes, negative when early."""

    departures: int
    late: int
    sum_delay: int
    max_delay: int

    def merge(self, other: DelayTotals) -> DelayTotals:
        """The totals of both sets, which share no departure."""
        return DelayTotals(
            departures=self.departures + other.departures,
            late=self.late + other.late,
            sum_delay=self.sum_delay + other.sum_delay,
            max_delay=max(self.max_delay, other.max_delay),
        )


def summarise(batch: pa.RecordBatch) -> dict[Window, DelayTotals]:
    """Totals of a batch of operations.departures per route and UTC day of departure."""
    delay = batch["dep_delay_minutes"]
    rows = pa.table(
        {
            "route": compute.binary_join_element_wise(batch["origin"], batch["destination"], "-"),
            "day": compute.floor_temporal(batch["departed_at"], unit="day"),
            "delay": delay,
            "late": compute.greater_equal(delay, LATE_MINUTES).cast(pa.int64()),
        }
    )
    grouped = rows.group_by(["route", "day"]).aggregate(
        [("delay", "count"), ("late", "sum"), ("delay", "sum"), ("delay", "max")]
    )
    measures = ("delay_count", "late_sum", "delay_sum", "delay_max")
    columns = [grouped[name].to_pylist() for name in ("route", "day", *measures)]
    return {
        (route, day): DelayTotals(departures=departures, late=late, sum_delay=total, max_delay=most)
        for route, day, departures, late, total, most in zip(*columns, strict=True)
    }


def merged(
    left: Mapping[Window, DelayTotals], right: Mapping[Window, DelayTotals]
) -> dict[Window, DelayTotals]:
    """Both sets of windows as one; windows in both are merged."""
    both = {window: left[window].merge(right[window]) for window in left.keys() & right.keys()}
    return {**left, **right, **both}


def to_event(route: str, window_start: datetime, totals: DelayTotals) -> dict[str, object]:
    """The event that publishes a window's totals as they stand."""
    return {
        "route": route,
        "window_start": window_start,
        "window_end": window_start + WINDOW,
        "departures": totals.departures,
        "late_departures": totals.late,
        "mean_delay_minutes": totals.sum_delay / totals.departures,
        "max_delay_minutes": totals.max_delay,
    }


ROUTE_DELAYS = WindowedStream(
    product="punctuality.route-delays",
    reads="operations.departures",
    window=WINDOW,
    totals=DelayTotals,
    summarise=summarise,
    merge=DelayTotals.merge,
    to_event=lambda window, totals: to_event(*window, totals),
)
