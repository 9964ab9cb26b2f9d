"""Child processes come up, say why when they do not, and never outlive whoever started them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mesh.errors import UnreachableError
from mesh_platform.brokers import start_embedded
from mesh_platform.processes import (
    ManagedProcess,
    Program,
    answers,
    claim,
    free_port,
    json_line,
    supervised,
    tail,
)

SERVES = "import json, os, sys; print(json.dumps({'pid': os.getpid()}), flush=True); sys.stdin.read()"
IGNORES_SIGTERM = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SERVES}"
DIES = "import sys; print('the disk is full', file=sys.stderr); sys.exit(3)"
SLEEPS_FOR_EVER = (
    "import json, os, time; print(json.dumps({'pid': os.getpid()}), flush=True)\nwhile True: time.sleep(60)"
)
SLEEPS_WITH_A_CHILD = """
import json, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(json.dumps({"pid": child.pid}), flush=True)
while True: time.sleep(60)
"""


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def ends_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Callable[..., ManagedProcess[dict[str, object]]]]:
    """Makes a process from Python code; whatever a test leaves running is ended."""
    made: list[ManagedProcess[dict[str, object]]] = []

    def make(code: str, *wrapped: str, **settings: float) -> ManagedProcess[dict[str, object]]:
        argv = [sys.executable, "-c", code]
        program = Program(
            name="child", argv=supervised(argv) if wrapped else argv, state_dir=tmp_path / "state"
        )
        made.append(ManagedProcess(program, json_line, **settings))
        return made[-1]

    yield make
    for process in made:
        if process.running:
            process.kill()


def test_a_child_is_ready_with_the_json_line_it_prints(process):
    with process(SERVES) as child:
        assert child.ready == {"pid": child.pid}


def test_a_child_is_gone_when_its_context_ends(process):
    with process(SERVES) as child:
        pid = child.pid
    assert not alive(pid)


def test_a_readiness_check_may_be_any_callable(tmp_path):
    port = free_port()
    code = f"import socket, sys; s = socket.create_server(('127.0.0.1', {port})); sys.stdin.read()"
    program = Program(name="child", argv=[sys.executable, "-c", code], state_dir=tmp_path)
    with ManagedProcess(program, lambda _: answers(port) or None) as child:
        assert child.ready is True


def test_env_is_added_to_our_own(tmp_path, monkeypatch):
    monkeypatch.setenv("OURS", "kept")
    code = (
        "import json, os; print(json.dumps({'env': [os.environ['OURS'], os.environ['ADDED']]}), flush=True)"
    )
    program = Program(
        name="child",
        argv=[sys.executable, "-c", code],
        state_dir=tmp_path,
        env={"ADDED": "too"},
    )
    with ManagedProcess(program, json_line) as child:
        assert child.ready["env"] == ["kept", "too"]


def test_a_child_that_dies_before_it_is_ready_says_why(process):
    with pytest.raises(UnreachableError) as caught:
        process(DIES).start()
    error = caught.value
    assert error.error_code == "MESH-X011"
    assert "exit code 3" in error.what
    assert "the disk is full" in error.why
    assert error.fix.startswith("less ")
    assert error.fix.endswith("child.log")


def test_a_child_that_is_never_ready_is_ended_and_named(process):
    child = process("import time; time.sleep(600)", ready_within=0.3)
    with pytest.raises(UnreachableError, match=r"MESH-X012 child was not ready within 0\.3 s"):
        child.start()
    assert not child.running


def test_a_program_that_does_not_exist_is_named(tmp_path):
    program = Program(name="child", argv=[str(tmp_path / "nowhere")], state_dir=tmp_path)
    with pytest.raises(UnreachableError, match=r"MESH-X010 .*nowhere: No such file or directory"):
        ManagedProcess(program, json_line).start()


def test_a_first_line_that_is_not_json_is_refused_and_quoted(process):
    child = process("print('hello', flush=True); input()")
    with pytest.raises(UnreachableError, match="MESH-X013") as caught:
        child.start()
    assert "hello" in caught.value.why
    assert not child.running


def test_stop_gives_a_child_the_chance_to_end_in_order(process):
    code = f"import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(7)); {SERVES}"
    child = process(code).start()
    assert child.stop() == 7


def test_stop_kills_a_child_that_ignores_it_after_the_grace_period(process):
    child = process(IGNORES_SIGTERM, grace=0.2).start()
    assert child.stop() == -signal.SIGKILL


def test_stop_may_be_repeated(process):
    child = process(SERVES).start()
    assert child.stop() == child.stop()


def test_kill_ends_a_child_and_what_it_started(process):
    child = process(SLEEPS_WITH_A_CHILD).start()
    grandchild = int(str(child.ready["pid"]))
    child.kill()
    assert ends_within(grandchild, 2)


def test_restart_runs_the_same_command_as_a_new_process(process):
    with process(SERVES) as child:
        first = child.pid
        child.restart()
        assert child.pid != first
        assert child.ready == {"pid": child.pid}


def test_the_log_keeps_the_words_of_earlier_starts(process):
    child = process(f"import sys; print('started', file=sys.stderr, flush=True); {SERVES}")
    with child:
        child.restart()
    assert tail(child.program.log) == "started\nstarted"


def test_only_the_end_of_a_long_log_is_told(tmp_path):
    log = tmp_path / "long.log"
    log.write_text("".join(f"line {n}\n" for n in range(100_000)))
    assert tail(log).splitlines() == [f"line {n}" for n in range(99_980, 100_000)]


def test_no_thread_is_left_or_needed(process):
    before = threading.active_count()
    with process(SERVES):
        assert threading.active_count() == before


def test_a_free_port_can_be_bound():
    with socket.create_server(("127.0.0.1", free_port())) as server:
        assert server.getsockname()[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_named():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(UnreachableError, match=f"MESH-X014 port {port} on 127.0.0.1 cannot be used"):
            claim(port)


def test_a_port_that_is_free_may_be_claimed():
    port = free_port()
    assert claim(port) == port


def test_a_supervised_program_ends_with_the_code_of_the_program(process):
    with pytest.raises(UnreachableError, match="exit code 3"):
        process(DIES, "supervised").start()


def test_a_supervised_program_that_does_not_exist_is_named():
    done = subprocess.run(
        supervised(["/no/such/program"]), stdin=subprocess.PIPE, capture_output=True, text=True, timeout=20
    )
    assert (done.returncode, done.stderr) == (127, "/no/such/program: No such file or directory\n")


def test_sigterm_reaches_a_supervised_program(process):
    child = process(SLEEPS_FOR_EVER, "supervised").start()
    assert child.stop() == 128 + signal.SIGTERM


def test_killing_a_supervised_program_leaves_nothing(process):
    child = process(SLEEPS_FOR_EVER, "supervised").start()
    program = int(str(child.ready["pid"]))
    child.kill()
    assert ends_within(program, 2)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_a_supervised_program_ends_when_only_its_supervisor_is_killed(process):
    child = process(SLEEPS_FOR_EVER, "supervised").start()
    program = int(str(child.ready["pid"]))
    os.kill(child.pid, signal.SIGKILL)
    assert child.stop() == -signal.SIGKILL
    assert ends_within(program, 2)


PARENT = """
import json, sys, time
from pathlib import Path
from mesh_platform.processes import ManagedProcess, Program, json_line, supervised
argv = [sys.executable, "-c", sys.argv[2]]
if sys.argv[3] == "supervised":
    argv = supervised(argv)
child = ManagedProcess(Program(name="child", argv=argv, state_dir=Path(sys.argv[1])), json_line).start()
print(json.dumps([child.pid, child.ready["pid"]]), flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize(
    ("code", "wrap"), [(SERVES, "bare"), (SLEEPS_WITH_A_CHILD, "supervised")], ids=["bare", "supervised"]
)
def test_kill_9_of_the_parent_ends_its_children_within_two_seconds(tmp_path, code, wrap):
    argv = [sys.executable, "-c", PARENT, str(tmp_path), code, wrap]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pids = json.loads(parent.stdout.readline())
        assert all(alive(pid) for pid in pids)
        parent.kill()
        deadline = time.monotonic() + 2
        assert all(ends_within(pid, deadline - time.monotonic()) for pid in pids)


EMBEDDED = """
import json, sys, time
from pathlib import Path
from mesh_platform.brokers import start_embedded
with start_embedded(Path(sys.argv[1])) as broker:
    print(json.dumps(broker.processes[0].pid), flush=True)
    time.sleep(600)
"""


def test_kill_9_of_whoever_started_it_ends_the_embedded_broker_within_two_seconds(tmp_path):
    with subprocess.Popen([sys.executable, "-c", EMBEDDED, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        broker = json.loads(parent.stdout.readline())
        assert alive(broker)
        parent.kill()
        assert ends_within(broker, 2)


def test_the_embedded_broker_comes_back_on_its_port_after_kill_9(tmp_path):
    with start_embedded(tmp_path) as broker:
        broker.kill()
        broker.restart()
        host, port = broker.bootstrap.split(":")
        assert broker.processes[0].ready["host"] == host
        assert broker.processes[0].ready["port"] == int(port)
