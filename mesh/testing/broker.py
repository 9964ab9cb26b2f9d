"""One Kafka broker that lives as long as the tests that started it.

Behaviour
* It listens on a free port of 127.0.0.1 and keeps that port and its files over `kill` and `restart`.
* It ends when this process ends, however that happens: it reads a pipe whose other end only we hold.
* Only the standard library is imported until a topic is asked for or something fails.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from mesh.testing.readiness import first_line

if TYPE_CHECKING:
    from mesh.errors import MeshError, UnreachableError

_STOP_SECONDS = 10.0
_ANSWER_SECONDS = 10.0
_TOLD_BYTES = 2000


class Broker:
    """A broker that was started for tests. Not for use from several threads at once."""

    def __init__(self, folder: Path, arguments: Sequence[str]) -> None:
        self.folder = folder
        self._arguments = arguments
        self._log = folder / "broker.log"
        self._port = 0
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """What a client's `bootstrap.servers` takes; the same after a restart."""
        return f"127.0.0.1:{self._port}"

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._child is not None and self._child.poll() is None

    @property
    def logs(self) -> str:
        """What the broker had to say, one JSON object per line, over all its starts."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def topic(self, name: str | None = None, partitions: int = 1, **config: object) -> str:
        """A new, empty topic, by its name; one that has this name already is deleted first.

        Settings are Kafka's, with underscores for dots: `cleanup_policy="compact"`. Raises MeshError
        (MESH-K041) when the broker refuses, UnreachableError (MESH-X042) when it does not answer.
        """
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient, NewTopic

        if not self.running:
            raise self._unreachable("it was killed and not started again")
        name = name or f"test-{uuid4().hex[:12]}"
        settings = {key.replace("_", "."): _spelled(value) for key, value in config.items()}
        client = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0, "error_cb": _quiet})
        try:
            if name in client.list_topics(timeout=_ANSWER_SECONDS).topics:
                client.delete_topics([name])[name].result(_ANSWER_SECONDS)
            new = NewTopic(name, partitions, 1, config=settings)
            client.create_topics([new])[name].result(_ANSWER_SECONDS)
        except KafkaException as error:
            raise self._refusal(name, error.args[0]) from error
        return name

    def stop(self) -> None:
        """End the broker as a service manager does, and let it tidy its files. Safe to repeat."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the broker as `kill -9` does; what it acknowledged is in its files. Safe to repeat."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Start the broker again on its port and files, and wait until it serves; a running one stops first.

        Raises UnreachableError (MESH-X041) when it does not come up.
        """
        self.stop()
        self._start()

    def _start(self) -> None:
        command = [sys.executable, "-P", "-m", "mesh_platform.broker", "--exit-with-parent"]
        command += ["--data", str(self.folder / "data"), "--port", str(self._port), *self._arguments]
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            try:
                self._child = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C is for the tests; the broker ends with them
                )
            except OSError as error:
                raise self._failure(str(error)) from error
        try:
            self._port = json.loads(first_line(self._child, self._failure))["port"]
        except BaseException:
            self._end(signal.SIGKILL)
            raise

    def _end(self, how: signal.Signals) -> None:
        if (child := self._child) is None:
            return
        child.send_signal(how)
        try:
            child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
        self._child = None

    def _failure(self, what: str) -> UnreachableError:
        from mesh.errors import UnreachableError

        return UnreachableError(
            f"the tests' broker does not start: {what}",
            code="MESH-X041",
            where=str(self._log),
            why=self.logs[-_TOLD_BYTES:].strip() or "it left no message",
            fix=f"less {self._log}",
        )

    def _refusal(self, topic: str, cause: Any) -> MeshError:
        from mesh.errors import MeshError

        if cause.code() < 0:  # librdkafka's own: nothing was answered
            return self._unreachable(cause.str())
        return MeshError(
            f"the tests' broker refused a topic: {cause.str()}",
            code="MESH-K041",
            where=topic,
            why=cause.name(),
            fix="change the arguments of `topic`",
        )

    def _unreachable(self, why: str) -> UnreachableError:
        from mesh.errors import UnreachableError

        return UnreachableError(
            f"the tests' broker does not answer at {self.bootstrap}",
            code="MESH-X042",
            where=self.bootstrap,
            why=why,
            fix=f"call `restart` on the broker, or less {self._log}",
        )


@contextlib.contextmanager
def start_broker(
    folder: Path | None = None,
    *,
    fsync: str = "os",
    auto_create_topics: bool = False,
    arguments: Sequence[str] = (),
) -> Iterator[Broker]:
    """Run a broker while the context is open; its files are under `folder`, or in one that goes with it.

    `arguments` are more of `python -m mesh_platform.broker --help`. Raises UnreachableError
    (MESH-X041) when the broker does not come up.
    """
    flags = ["--fsync", fsync, *(["--auto-create-topics"] if auto_create_topics else []), *arguments]
    with contextlib.ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kafka-")))
        broker = Broker(folder, flags)
        stack.callback(broker.kill)  # nobody needs its files any more, so it need not tidy them
        broker.restart()
        yield broker


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _quiet(_error: object) -> None:
    """Connection errors reach the caller as exceptions; librdkafka need not print them too."""
