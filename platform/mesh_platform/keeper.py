"""Keeps a worker running beside the platform: started again when it ends, slower each time it fails soon."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

from mesh.errors import MeshError
from mesh_platform.processes import ManagedProcess

LOOK_SECONDS = 0.5
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
SOUND_SECONDS = 60.0


class Keeper:
    """One thread that owns one process; `stop` ends both."""

    def __init__(self, process: ManagedProcess[Any]) -> None:
        self._process = process
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"keeper of {process.program.name}", daemon=True
        )
        self.restarts = 0

    def start(self) -> None:
        """Start the worker and keep it."""
        self._thread.start()

    def stop(self) -> None:
        """End the worker for good."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(15)

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            began = time.monotonic()
            # A program that cannot be started leaves its reason in its log; it may be there the next time.
            with contextlib.suppress(MeshError):
                self._process.launch()
                while self._process.running and not self._stop.wait(LOOK_SECONDS):
                    pass
                self._process.stop()
            if self._stop.is_set():
                return
            self.restarts += 1
            pause = FIRST_PAUSE if time.monotonic() - began > SOUND_SECONDS else min(pause * 2, LONGEST_PAUSE)
            self._stop.wait(pause)
