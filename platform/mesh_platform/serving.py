"""Serving the platform on one address: token, control log, observer and the ASGI app put together.

The composition root of the platform. Loopback needs nothing; any other address needs a token of one's
own (MESH_TOKEN_FILE), because a generated one would lie on a disk that others may read.
"""

from __future__ import annotations

import gc
import ipaddress
import os
import secrets
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from mesh.config import TOKEN_FILE, Settings
from mesh.errors import UnreachableError, UsageError
from mesh_platform.log.record import ControlLog
from mesh_platform.processes import ManagedProcess, Program
from mesh_platform.profile import Profile
from mesh_platform.tokens import TOKENS_FILE, TokenFile

TOKEN_CHARACTERS = 32
Workers = tuple[str, ...]  #: modules that are run beside the platform
QUALITY = "mesh_platform.quality"


def token_for(state: Path, host: str, named: str | None) -> str:
    """The platform's token: from the file that is named, else generated once under the state folder.

    Raises UsageError: MESH-U053 for a token file that cannot be read, MESH-U051 for a token that is too
    short, MESH-U052 for an address beyond this machine without a token file.
    """
    if named:
        return _read_token(Path(named), f"openssl rand -hex {TOKEN_CHARACTERS // 2} > {named}")
    if not is_loopback(host):
        raise UsageError(
            f"{host} is beyond this machine and no token file is named",
            code="MESH-U052",
            where=host,
            why="a platform that others can reach has no default secrets",
            fix="set MESH_TOKEN_FILE, or serve on 127.0.0.1",
        )
    file = state / TOKEN_FILE
    if not file.exists():
        state.mkdir(parents=True, exist_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as out:
            out.write(secrets.token_urlsafe(TOKEN_CHARACTERS) + "\n")
    return _read_token(file, f"rm {file}; the next start makes a new one")


def tokens_file(state: Path, environ: Mapping[str, str]) -> Path:
    """Where the tokens of principals are: MESH_TOKENS, else in the state folder."""
    named = environ.get("MESH_TOKENS")
    return Path(named) if named else state / TOKENS_FILE


def _read_token(file: Path, fix: str) -> str:
    try:
        token = file.read_text().strip()
    except (OSError, ValueError) as error:
        raise UsageError(
            "the token file cannot be read",
            code="MESH-U053",
            where=str(file),
            why=str(error),
            fix="make it a readable text file",
        ) from error
    if len(token) < TOKEN_CHARACTERS:
        raise UsageError(
            f"the token has {len(token)} characters",
            code="MESH-U051",
            where=str(file),
            why=f"at least {TOKEN_CHARACTERS} keep it from being guessed",
            fix=fix,
        )
    return token


def is_loopback(host: str) -> bool:
    """Whether an address is of this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listening(host: str, port: int) -> socket.socket:
    """A bound socket; raises UnreachableError (MESH-X014) when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only on sockets that name their protocol; without it every answer waits 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise UnreachableError(
            f"port {port} on {host} cannot be used: {error.strerror}",
            code="MESH-X014",
            where=f"{host}:{port}",
            why="another program listens there, perhaps an earlier `mesh up`",
            fix="mesh up --port 0   (any free port), or stop the other one",
        ) from error
    return bound


def _worker(module: str, state: Path, settings: dict[str, str]) -> ManagedProcess[bool]:
    argv = [sys.executable, "-m", module, "--exit-with-parent"]
    program = Program(name=module.rpartition(".")[2], argv=argv, state_dir=state, env=settings)
    return ManagedProcess(program, lambda _program: True)


def serve(
    state: Path,
    bootstrap: str,
    bound: socket.socket,
    host: str,
    token: str,
    profile: Profile,
    workers: Workers,
    log: Callable[[], ControlLog],
    announce: Callable[[], None],
) -> None:
    """Serve until SIGTERM or Ctrl-C; the socket decides the port. Raises MeshError when the log is held.

    `announce` is called once the control log is held and replayed, and connections are taken.
    """
    # Starting makes many objects that live for ever: collecting among them would only cost time.
    gc.disable()

    import uvicorn

    from mesh.adapters.policies import shelf_of
    from mesh.adapters.workspace import find_root
    from mesh.config import policies_folder
    from mesh.connection import connect
    from mesh_platform.app import Where, create_app
    from mesh_platform.catalog.observer import Observer
    from mesh_platform.control import ControlPlane
    from mesh_platform.keeper import Keeper
    from mesh_platform.principals import Principals
    from mesh_platform.snapshots import FILE, Snapshots

    port = bound.getsockname()[1]
    address = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
    url = f"http://{address}:{port}"
    control = ControlPlane(log(), snapshots=Snapshots(state / FILE))
    bound.listen(256)
    announce()
    client = connect(
        Settings(bootstrap=bootstrap, platform_url=url, registry_url=f"{url}/registry", token=token)
    )
    hosts = (
        "127.0.0.1",
        "localhost",
        "[::1]",
        host,
        *filter(None, os.environ.get("MESH_HOSTS", "").split(",")),
    )
    settings = {"MESH_KAFKA_BOOTSTRAP": bootstrap, "MESH_PLATFORM_URL": url, "MESH_TOKEN": token}
    keepers = [Keeper(_worker(module, state, settings)) for module in workers]
    root = find_root(Path.cwd())
    folder = policies_folder(root, os.environ)
    app = create_app(
        control,
        Principals(token, TokenFile(tokens_file(state, os.environ))),
        Where(bootstrap, url, hosts),
        Observer(bootstrap, client),
        keepers,
        lambda: shelf_of(root, folder),
        profile=profile,
    )
    gc.freeze()
    gc.enable()
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="on",
        server_header=False,
        timeout_graceful_shutdown=2,  # open event streams of browsers must not hold up the end
    )
    uvicorn.Server(config).run([bound])
