"""What every part of a connected mesh needs: broker, registry and platform, and ports by name."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from mesh.adapters.http import IDEMPOTENT, Http
from mesh.adapters.kafka_admin import KafkaAdmin
from mesh.adapters.platform_http import HttpPlatform
from mesh.adapters.registry_http import HttpRegistry
from mesh.config import Settings
from mesh.world import World

if TYPE_CHECKING:
    from typing import Self

    from mesh.adapters.registry_copies import RegistryReader
    from mesh.adapters.registry_migration import RegistryWriter
    from mesh.event import SchemaKey
    from mesh.port import OutputPort


class Connection:
    """One mesh, connected: its services, and its ports by name."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._platform_http = Http(settings.platform_url, settings.token, name="platform")
        self._registry_http = Http(
            settings.registry_url,
            settings.registry_token,
            name="schema registry",
            # Registering a schema again, or asking about one, changes nothing more.
            repeatable=IDEMPOTENT | {"POST"},
        )
        self.platform = HttpPlatform(self._platform_http)
        self.registry = HttpRegistry(self._registry_http)
        self._ports: dict[str, OutputPort] = {}

    def world(self) -> World:
        """What plans are made of."""
        return World(KafkaAdmin(self.settings.bootstrap), self.registry, self.platform)

    def schema_key(self, port: OutputPort) -> SchemaKey:
        """By which events name a port's schema: its id before them or, where it is set so, a GUID."""
        if self.settings.framing == "header":
            return self.registry.schema_guid(port.subject, port.schema)
        return self.registry.schema_id(port.subject, port.schema)

    def port(self, product: str) -> OutputPort:
        """A product's output port by `<domain>.<product>` or by contract id, with the contract in force."""
        from mesh.contract.reading import read_contract
        from mesh.contract.refinement import with_schema
        from mesh.port import OutputPort

        known = self._ports.get(product)
        if known is None:
            by_id = product.count(".") >= 2
            facts = self.platform.contract(product) if by_id else self.platform.port(product)
            contract = read_contract(facts.text.encode(), f"{facts.id}@{facts.version}")
            contract = with_schema(contract, facts.avro)
            known = self._ports[product] = OutputPort(contract, self.settings.codec)
        return known

    def registry_reader(self) -> RegistryReader:
        """All that the registry holds, for copies and for people."""
        from mesh.adapters.registry_copies import RegistryReader

        return RegistryReader(self._registry_http)

    def registry_writer(self) -> RegistryWriter:
        """Takes in what another registry holds."""
        from mesh.adapters.registry_migration import RegistryWriter

        return RegistryWriter(self._registry_http)

    def close(self) -> None:
        """Let go of the HTTP connections."""
        self._platform_http.close()
        self._registry_http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
