"""What runs under a state folder: `run.json` tells the commands of this machine where the mesh is."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from mesh.config import RUN_FILE


@dataclass(frozen=True, slots=True)
class Running:
    """A mesh that serves, and the process that holds it."""

    pid: int
    broker: str  #: embedded, kafka or external
    bootstrap: str
    platform_url: str

    def write(self, state: Path) -> None:
        """Tell where it is; readers never see half a file."""
        draft = state / f"{RUN_FILE}.new"
        draft.write_text(json.dumps(asdict(self), indent=2) + "\n")
        draft.replace(state / RUN_FILE)


def read_running(state: Path) -> Running | None:
    """The mesh that runs under a state folder; None when there is none, or it has died."""
    try:
        running = Running(**json.loads((state / RUN_FILE).read_text()))
        os.kill(running.pid, 0)
    except (OSError, ValueError, TypeError, OverflowError):
        return None
    return running


def forget(state: Path) -> None:
    """Nothing runs here any more."""
    (state / RUN_FILE).unlink(missing_ok=True)
