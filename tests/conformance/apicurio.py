"""A registry of another house, run as it is: Apicurio Registry in memory, from Maven Central."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from urllib.error import URLError
from urllib.request import urlopen

from mesh_platform.processes import free_port

VERSION = "2.6.13.Final"
_ARTIFACT = f"io.apicurio:apicurio-registry-app:{VERSION}:tar.gz:all"
_FETCH_SECONDS = 600
_START_SECONDS = 60


@contextmanager
def apicurio(java: str, maven: str, folder: Path) -> Iterator[str]:
    """The address of its API as Confluent speaks it; the process ends with the block."""
    jar = _unpacked(maven, folder)
    port = free_port()
    options = [
        "-Xmx256m",
        "-XX:TieredStopAtLevel=1",
        "-Dquarkus.http.host=127.0.0.1",
        f"-Dquarkus.http.port={port}",
    ]
    with (folder / "apicurio.log").open("wb") as log:
        process = subprocess.Popen(
            [java, *options, "-jar", jar.name],
            cwd=jar.parent,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            url = f"http://127.0.0.1:{port}/apis/ccompat/v7"
            _await(process, f"{url}/subjects")
            yield url
        finally:
            process.kill()
            process.wait()


def _unpacked(maven: str, folder: Path) -> Path:
    argv = [maven, "--quiet", "--batch-mode", "--strict-checksums", "dependency:copy"]
    argv += [f"-Dartifact={_ARTIFACT}", f"-DoutputDirectory={folder}"]
    subprocess.run(argv, cwd=folder, stdin=subprocess.DEVNULL, check=True, timeout=_FETCH_SECONDS)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    archive.unlink()
    (jar,) = folder.rglob("*-runner.jar")
    return jar


def _await(process: subprocess.Popen[bytes], url: str) -> None:
    end = monotonic() + _START_SECONDS
    while monotonic() < end:
        try:
            with urlopen(url, timeout=5):
                return
        except (URLError, OSError):
            try:
                process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError("Apicurio ended before it served") from None
    raise AssertionError("Apicurio does not serve")
