"""Kafka's jars: resolved once by Maven from the checked-in `pom.xml`, remembered as a classpath file."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
from pathlib import Path

from mesh.errors import UnreachableError
from mesh_platform.kafka.java import find_maven

POM = Path(__file__).with_name("pom.xml")
_VERSION = re.compile(r"<kafka\.version>([^<]+)</kafka\.version>")
_RESOLVE_SECONDS = 600


def kafka_version() -> str:
    """The version of Apache Kafka that `pom.xml` names."""
    match = _VERSION.search(POM.read_text("utf-8"))
    if match is None:
        raise ValueError(f"{POM} has no kafka.version")
    return match[1]


def classpath(pom: Path = POM) -> str:
    """The classpath of `pom`, which is Kafka's own or one below it; Maven runs only when a pom is new here or
    a jar has gone.

    Raises UnreachableError without Maven (MESH-X022) or when it cannot resolve the jars (MESH-X023).
    """
    if jars := remembered(pom):
        return jars
    file = _cache_file(pom)
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent) as scratch:
        resolved = Path(scratch) / "classpath"
        _resolve(pom, resolved)
        resolved.replace(file)  # whole or not at all: several may start their first Kafka at once
    return file.read_text().strip()


def remembered(pom: Path = POM) -> str | None:
    """The classpath of an earlier start while all its jars are there; None: `classpath` will run Maven."""
    file = _cache_file(pom)
    jars = file.read_text().strip() if file.is_file() else ""
    return jars if jars and all(Path(jar).is_file() for jar in jars.split(os.pathsep)) else None


def _cache_file(pom: Path) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    poms = b"".join(file.read_bytes() for file in dict.fromkeys((POM, pom)))
    digest = hashlib.sha256(poms).hexdigest()[:12]
    return cache / "mesh" / f"kafka-{kafka_version()}" / f"{digest}.classpath"


def _resolve(pom: Path, output: Path) -> None:
    argv = [find_maven(), "--quiet", "--batch-mode", "--strict-checksums", "--file", str(pom)]
    argv += ["dependency:build-classpath", "-Dmdep.includeScope=runtime", f"-Dmdep.outputFile={output}"]
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_RESOLVE_SECONDS
    )
    if done.returncode or not output.is_file():
        raise UnreachableError(
            f"Maven could not fetch Apache Kafka {kafka_version()} (exit code {done.returncode})",
            code="MESH-X023",
            where=str(pom),
            why="\n".join((done.stdout + done.stderr).strip().splitlines()[:10]),
            fix=f"mvn -f {pom} dependency:build-classpath",
        )
