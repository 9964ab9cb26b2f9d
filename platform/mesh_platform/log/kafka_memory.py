"""What a process remembers of the control topic it read: enough to know when it is not the same any more.

A topic that was deleted and made anew, or restored from an older copy, would give ids a second time.
So the topic's own id and how far it was read are kept in the state folder, and compared at the next start.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from mesh.errors import MeshError
from mesh_platform.log.kafka_topic import Glance

FILE = "control-topic.json"


def read_up_to(file: Path) -> int:
    """How many records were read of the topic that a file remembers; 0 when it remembers none."""
    try:
        return int(json.loads(file.read_text())["end"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


class TopicMemory:
    """The last look at the control topic, in a file."""

    def __init__(self, state: Path, topic: str) -> None:
        self._file = state / FILE
        self._topic = topic

    def check(self, now: Glance) -> None:
        """Raises MeshError (MESH-S026) when the topic is another one, or ends before what was read."""
        try:
            known = json.loads(self._file.read_text())
            topic, topic_id, end = str(known["topic"]), str(known["id"]), int(known["end"])
        except (OSError, ValueError, KeyError, TypeError):
            return  # nothing is known: the log itself has everything
        if topic != self._topic or (topic_id == now.id and end <= now.end):
            return
        what = f"it ends at {now.end}" if topic_id == now.id else "it was deleted and made anew"
        raise MeshError(
            "the control topic has lost records that this platform had read",
            code="MESH-S026",
            where=self._topic,
            why=f"{end} records were read before; {what}: ids would be given a second time",
            fix=f"restore a backup into a new topic; to go on with what is there: rm {self._file}",
        )

    def keep(self, now: Glance) -> None:
        """Remember this look; written whole or not at all."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_suffix(".new")
        draft.write_text(json.dumps({"topic": self._topic, "id": now.id, "end": now.end}) + "\n")
        os.replace(draft, self._file)
