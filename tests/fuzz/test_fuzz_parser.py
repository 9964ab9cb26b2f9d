"""Coverage-guided input at everything that reads what comes from outside, for a bounded number of runs."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

from tests.conftest import unavailable

RUNS = 20_000
#: Linux counts what the parent held at the fork as the child's own largest size; a small one stands between.
SMALL_PARENT = ["sh", "-c", '"$@"; exit $?', "sh"]


def test_whatever_is_read_is_taken_or_refused_by_name(tmp_path: Path) -> None:
    if importlib.util.find_spec("atheris") is None:
        unavailable("atheris is not installed")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    bounds = [
        f"-runs={RUNS}",
        "-seed=7",
        "-rss_limit_mb=1024",
        "-timeout=20",
        f"-artifact_prefix={tmp_path}/",
    ]
    command = [*SMALL_PARENT, sys.executable, "-m", "tests.fuzz.parser", str(corpus), *bounds]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    assert f"Done {RUNS} runs" in done.stderr
