"""A peer's script, run in the environment of the peers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench.measuring import Contender

ROOT = Path(__file__).resolve().parents[3]
PYTHON = ROOT / ".venv-peers" / "bin" / "python"
_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Peers:
    """Where the peers find broker, registry and schema."""

    bootstrap: str
    registry: str
    user: str
    schema: Path

    def contender(
        self, name: str, script: str, action: str, topic: str, count: int, output: str = ""
    ) -> Contender:
        """One peer doing one thing; the seconds are its own count, without start and joining a group."""
        return Contender(name, count, self._work(script, action, topic, count, output))

    def _work(self, script: str, action: str, topic: str, count: int, output: str) -> Callable[[], float]:
        command = [str(PYTHON), "-W", "ignore", "-m", f"tests.bench.peers.{script}", action]
        asked = {
            "bootstrap": self.bootstrap,
            "registry": self.registry,
            "user": self.user,
            "schema": str(self.schema),
            "topic": topic,
            "output": output,
            "count": str(count),
        }
        command += [word for name, value in asked.items() for word in (f"--{name}", value)]

        def seconds() -> float:
            ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_SECONDS)
            if ended.returncode:
                raise RuntimeError(f"{script} {action}: {ended.stderr[-2000:]}")
            return float(json.loads(ended.stdout.splitlines()[-1])["seconds"])

        return seconds
