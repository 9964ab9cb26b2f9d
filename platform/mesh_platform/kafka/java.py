"""The programs that Apache Kafka needs: Java 17 or newer, and Maven for the first start."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from mesh.errors import UnreachableError

OLDEST_JAVA = 17  # Kafka's brokers since 4.0
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')
_INSTALL = "apt-get install openjdk-17-jre-headless maven"


def find_java() -> str:
    """The path of a Java that can run Kafka: `JAVA_HOME` first, then PATH.

    Raises UnreachableError when there is none (MESH-X020) or only an older one (MESH-X021).
    """
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin")) if home else None
    java = java or shutil.which("java")
    if java is None:
        raise UnreachableError(
            "Apache Kafka needs Java, and there is none on the PATH",
            code="MESH-X020",
            why=f"Kafka's brokers run on Java {OLDEST_JAVA} or newer; the embedded broker needs none",
            fix=_INSTALL,
        )
    said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60).stderr
    major = java_major(said)
    if major < OLDEST_JAVA:
        raise UnreachableError(
            f"Apache Kafka needs Java {OLDEST_JAVA} or newer; {java} is Java {major or 'of unknown version'}",
            code="MESH-X021",
            where=java,
            why=said.strip(),
            fix=_INSTALL,
        )
    return java


def java_major(said: str) -> int:
    """The major version in what `java -version` says (8 for 1.8); 0 when it says none."""
    match = _VERSION.search(said)
    return int(match[1]) if match else 0


def find_maven() -> str:
    """The path of `mvn`; UnreachableError (MESH-X022) without one."""
    maven = shutil.which("mvn")
    if maven is None:
        raise UnreachableError(
            "the first start of Apache Kafka needs Maven, and there is no mvn on the PATH",
            code="MESH-X022",
            why="its jars come from Maven Central, once; later starts need Java only",
            fix=_INSTALL,
        )
    return maven
