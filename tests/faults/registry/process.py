"""The platform, started to die at a named moment of a write.

    python -m tests.faults.registry.process --die appended:7 -- --state FOLDER --bootstrap HOST:PORT

| moment | when |
| --- | --- |
| append | before a record is given to the control log |
| sent | after it is given to the log: to Kafka's client, or to the file, which has also had it applied |
| appended | when the log has a record, before it is applied here |
| applied | after it is applied, before the answer is begun |
| answer | when the head of the answer is sent, and nothing of its body |
| answered | after the whole answer is sent |
| snapshot | before a snapshot is written, and when it is in place |
| replay | while the log is replayed at a start |

`--die MOMENT:N` ends the process by SIGKILL at the N-th of them; only writes count.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any
from unittest import mock

# fastapi's and kio's neighbours import hypothesis wherever it is installed, which costs every start.
sys.modules.setdefault("hypothesis", None)  # type: ignore[arg-type]

from mesh_platform import app, control, snapshots, views  # noqa: E402
from mesh_platform.chaos.countdown import Countdown  # noqa: E402
from mesh_platform.log import snapshot  # noqa: E402
from tests.faults.registry import broken  # noqa: E402


def hurry() -> None:
    """Write a snapshot every 60 records, so that kills meet it and starts begin with it."""
    mock.patch.object(snapshots, "WORTH", 60).start()


def arm(countdown: Countdown) -> None:
    """Put the moments around the log, the views and the answers."""
    plane, create, write = control.ControlPlane, app.create_app, snapshot.write_snapshot
    initialise, send, apply = plane.__init__, plane._send, views.Views.apply
    serving: list[bool] = []

    def begun(self: Any, *arguments: Any, **settings: Any) -> None:
        initialise(self, *arguments, **settings)
        serving.append(True)

    def sent(self: Any, *arguments: Any, **settings: Any) -> Any:
        countdown.pass_by("append")
        answer = send(self, *arguments, **settings)
        countdown.pass_by("sent")
        return answer

    def applied(self: Any, record: Any) -> Any:
        countdown.pass_by("appended" if serving else "replay")
        outcome = apply(self, record)
        countdown.pass_by("applied" if serving else "")
        return outcome

    def created(*arguments: Any, **settings: Any) -> Any:
        return _Answering(create(*arguments, **settings), countdown)

    def written(path: Any, *arguments: Any) -> None:
        countdown.pass_by("snapshot")
        write(path, *arguments)
        countdown.pass_by("snapshot")

    for holder, name, surrounded in (
        (plane, "__init__", begun),
        (plane, "_send", sent),
        (views.Views, "apply", applied),
        (app, "create_app", created),
        (snapshots, "write_snapshot", written),
    ):
        mock.patch.object(holder, name, surrounded).start()


class _Answering:
    """The platform's app, whose answers to writes are moments."""

    def __init__(self, inner: Any, countdown: Countdown) -> None:
        self._inner, self._countdown = inner, countdown

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def sent(message: Any) -> None:
            await send(message)
            whole = message["type"] == "http.response.body"
            self._countdown.pass_by("answered" if whole else "answer")

        writes = scope["type"] == "http" and scope["method"] != "GET"
        await self._inner(scope, receive, sent if writes else send)


def main() -> None:
    """Arm or break the platform as told, and serve."""
    parser = argparse.ArgumentParser(prog="tests.faults.registry.process")
    parser.add_argument("--die", help="MOMENT:N")
    parser.add_argument("--broken", choices=sorted(broken.KINDS), action="append", default=[])
    parser.add_argument("arguments", nargs="*")
    options = parser.parse_args()
    hurry()
    for kind in options.broken:
        broken.KINDS[kind]()
    if options.die:
        moment, _, number = options.die.partition(":")
        arm(Countdown(moment, int(number)))
    from mesh.cli.entry import run

    sys.argv = ["mesh", "serve", *options.arguments]
    run()


if __name__ == "__main__":
    main()
