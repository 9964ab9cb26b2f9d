"""Our registry's routes on a loopback port, and official clients of both kinds behind one face."""

from __future__ import annotations

import asyncio
import inspect
import socket
import threading
import time
from types import TracebackType
from typing import Any

import uvicorn
from confluent_kafka.schema_registry import AsyncSchemaRegistryClient
from starlette.applications import Starlette

from mesh_platform.registry.routes import routes
from tests.unit.registry_twin import RegistryTwin


class Served:
    """A registry on a free port, in a thread that ends with the test."""

    def __init__(self, registry: RegistryTwin) -> None:
        self.registry = registry
        # asyncio sends at once only on sockets that say they are TCP.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            Starlette(routes=routes(registry)), log_level="error", lifespan="off", ws="none"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    def __enter__(self) -> Served:
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            assert time.monotonic() < deadline, "the registry did not start"
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()


class Awaited:
    """An asynchronous object with the face of its synchronous twin: every call is run to its end."""

    def __init__(self, inner: Any, runner: asyncio.Runner) -> None:
        self.inner = inner
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if not callable(found):
            return found

        def call(*args: Any, **more: Any) -> Any:
            result = found(*args, **more)
            return self._runner.run(_end_of(result)) if inspect.isawaitable(result) else result

        return call

    def __call__(self, *args: Any, **more: Any) -> Any:
        return self._runner.run(_end_of(self.inner(*args, **more)))


class AwaitedClient(Awaited):
    """The official asynchronous client, used like the synchronous one."""

    def __init__(self, conf: dict[str, Any]) -> None:
        runner = asyncio.Runner()
        super().__init__(AsyncSchemaRegistryClient(conf), runner)

    def __enter__(self) -> AwaitedClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self.inner.__aexit__(kind, error, trace))
        self._runner.close()

    def beside(self, made: Any) -> Awaited:
        """An object made for this client: an asynchronous serializer, or the promise of one."""
        return Awaited(self._runner.run(_end_of(made)) if inspect.isawaitable(made) else made, self._runner)


async def _end_of(awaitable: Any) -> Any:
    return await awaitable
