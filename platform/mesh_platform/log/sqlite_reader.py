"""A SQLite control log for reading, beside the process that writes it: never locks, never changes a byte."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from mesh_platform.log.entry import Entry
from mesh_platform.log.refusals import no_log, no_use


class SqliteReader:
    """An EntrySource over a file; raises UsageError (MESH-U152) when there is none."""

    def __init__(self, path: Path) -> None:
        self.where = str(path)
        if not path.is_file():
            why = "no platform has run with this state folder"
            raise no_log(self.where, why, "mesh up, or name the folder with --state")
        uri = f"file:{quote(str(path.resolve()))}?mode=ro"
        self._db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)

    def entries(self, start: int = 0) -> Iterator[Entry]:
        """What the log held when the first record is read, from `start` on: one transaction sees one moment.

        Raises MeshError (MESH-S012) when the file is no control log.
        """
        try:
            columns = {row[1] for row in self._db.execute("pragma table_info(control_log)")}
            command = "command" if "command" in columns else "''"  # a file from before commands had names
            rows = self._db.execute(
                f"select log_offset, time, actor, kind, body, {command}, chain from control_log"  # noqa: S608
                " where log_offset >= ? order by log_offset",
                (start,),
            )
            for row in rows:
                yield Entry(*row)
        except sqlite3.Error as error:
            raise no_use(self.where, str(error)) from error

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
