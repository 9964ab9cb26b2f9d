"""What a handler will meet, before it meets it: every version of a contract, tombstones, broken events.

    def test_the_board_handles_whatever_comes():
        rehearse(handle, "shop.orders").require()

Each step is a batch that came by the way of every event: encoded as its publisher did, decoded and judged as
a subscription does. What a subscription would set aside must not reach the handler, and all else must.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from mesh.codec import to_batch
from mesh.contract.model import Contract
from mesh.contract.record_rules import record_rules
from mesh.decoding import Batch, Decoder
from mesh.event import frame_prefix
from mesh.fake import Fake, Faults
from mesh.interfaces import Message, Registry
from mesh.port import OutputPort
from mesh.testing.declared import contract_around, versions_committed
from mesh.testing.memory import Record, Schemas
from mesh.testing.report import Rehearsal, Step
from mesh.writers import Patience

Given = Callable[[Batch], Iterable[Any]]

_BYTES: Final = (
    ("a value without a frame", b"hello"),
    ("an empty value", b""),
    ("a frame with nothing in it", b"\x00\x00\x00\x00\x01"),
    ("a schema id that no registry gave", b"\x00\x7f\xff\xff\xff" + b"\x00" * 8),
)


def rows(batch: Batch) -> Iterable[Any]:
    """Events as dicts, one by one: what `for event in subscription` gives."""
    return batch.rows()


def batches(batch: Batch) -> Iterable[Any]:
    """The batch itself: what `subscription.batches()` gives."""
    return [batch]


def rehearse(
    handler: Callable[[Any], Any],
    product: str | Contract,
    *,
    given: Given = rows,
    versions: Iterable[Contract] | None = None,
    count: int = 10,
    seed: int = 0,
    folder: Path | None = None,
) -> Rehearsal:
    """Call a handler with all that may come of a product; the report holds what the handler raised.

    `given` says what the handler takes: `rows`, or `batches`. `versions` are earlier versions of the
    contract; without them, those that git holds of its file. Raises UsageError for an unknown name.
    """
    contract = contract_around(product, folder)
    earlier = list(versions_committed(contract, folder) if versions is None else versions)
    stage = _Stage(contract, [v for v in earlier if v.sha256 != contract.sha256], seed)
    return Rehearsal(contract.id, tuple(_step(stage, scene, handler, given) for scene in stage.scenes(count)))


@dataclass(frozen=True, slots=True)
class _Scene:
    """A batch as it comes in, and how many of its events are due; None leaves that to the rules."""

    name: str
    values: Sequence[bytes | None]
    due: int | None


class _Stage:
    """One contract with its earlier versions, and everything that may come of them."""

    def __init__(self, contract: Contract, earlier: Sequence[Contract], seed: int) -> None:
        self._versions = [contract, *earlier]
        self._ports = [OutputPort(version) for version in self._versions]
        self._seed = seed
        registry = cast(Registry, Schemas([port.schema for port in self._ports]))
        # Nobody waits for a registry that is a list.
        self.decoder = Decoder(self._ports[0], registry, Patience(unknown_tries=1, unknown_seconds=0.0))

    def scenes(self, count: int) -> Iterator[_Scene]:
        """Each step of a rehearsal."""
        now = self._events(0, count)
        yield _Scene(f"events of {self._versions[0].version}", now, count)
        for number, version in enumerate(self._versions[1:], 1):
            yield _Scene(f"events of {version.version}", self._events(number, count), None)
        yield _Scene("one event alone", now[:1], 1)
        yield _Scene("the same events again, as after a crash", now, count)
        yield _Scene("tombstones among events", [now[0], None, *now[1:], None], count)
        for name, value in _BYTES:
            yield _Scene(f"{name}, among events", [now[0], value, *now[1:]], count)
        yield _Scene("an event that was cut off", [now[0], now[0][:-1], *now[1:]], count)
        yield from self._faults(now)

    def _events(self, number: int, count: int) -> list[bytes]:
        fake = Fake(self._versions[number], self._seed)
        return self._encoded(number, fake.events(count))

    def _encoded(self, number: int, events: list[dict[str, Any]]) -> list[bytes]:
        port = self._ports[number]
        return port.codec.encode(to_batch(events, port.codec), frame_prefix(number + 1))

    def _faults(self, now: list[bytes]) -> Iterator[_Scene]:
        faults = Faults(self._versions[0], self._seed)
        # What breaks a rule that only warns is given to readers.
        refuse = {rule.name for rule in record_rules(self._versions[0]) if rule.severity == "error"}
        for name, event in faults.each():
            if event is not None and faults.carried(event):
                values = [now[0], *self._encoded(0, [event]), *now[1:]]
                due = len(now) if name in refuse else len(values)
                yield _Scene(f"an event that breaks {name!r}", values, due)


def _step(stage: _Stage, scene: _Scene, handler: Callable[[Any], Any], given: Given) -> Step:
    messages = [Record(value, ("", 0, offset)) for offset, value in enumerate(scene.values)]
    batch, aside = stage.decoder.decode(cast("Sequence[Message]", messages))
    reasons = tuple(dict.fromkeys(error.what for _, error in aside))
    if scene.due is not None and len(batch) != scene.due:
        why = f"{scene.due} events are due and {len(batch)} can be read: {'; '.join(reasons)}"
        return Step(scene.name, len(batch), len(aside), reasons, why)
    try:
        for one in given(batch) if len(batch) else ():
            handler(one)
    except Exception as error:
        return Step(scene.name, len(batch), len(aside), reasons, f"{type(error).__name__}: {error}")
    return Step(scene.name, len(batch), len(aside), reasons)
