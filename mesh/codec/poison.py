"""Set aside the events of a batch that do not decode, so that the others go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa

from mesh.codec.interface import Decoded
from mesh.errors import EventError
from mesh.event import Poison

Decode = Callable[[Sequence[bytes]], Decoded]


def split(datums: Sequence[bytes], decode: Decode) -> Decoded:
    """Decode by halves whatever `decode` refuses as a whole: about 2·log₂(n) attempts per poison event."""
    parts = list(_parts(datums, 0, decode))
    if len(parts) == 1 and not parts[0][0]:
        return parts[0][1]
    return join([moved(part, range(start, start + _size(part))) for start, part in parts])


def join(parts: Sequence[Decoded]) -> Decoded:
    """Parts of one batch as one, in the order of the events."""
    batch = pa.concat_batches([part.batch for part in parts])
    indices = [index for part in parts for index in part.indices]
    poison = sorted((poison for part in parts for poison in part.poison), key=lambda poison: poison.index)
    order = sorted(range(len(indices)), key=indices.__getitem__)
    if order != list(range(len(order))):
        batch = batch.take(pa.array(order, pa.int64()))
        indices = [indices[position] for position in order]
    return Decoded(batch, indices, tuple(poison))


def _parts(datums: Sequence[bytes], start: int, decode: Decode) -> Iterator[tuple[int, Decoded]]:
    try:
        yield start, decode(datums)
    except EventError as error:
        if len(datums) == 1:
            yield start, Decoded(decode([]).batch, (), (Poison(0, error),))
            return
        middle = len(datums) // 2
        yield from _parts(datums[:middle], start, decode)
        yield from _parts(datums[middle:], start + middle, decode)


def moved(part: Decoded, places: Sequence[int]) -> Decoded:
    """A part whose event i is event `places[i]` of the whole batch."""
    poison = tuple(Poison(places[one.index], one.error) for one in part.poison)
    return Decoded(part.batch, [places[index] for index in part.indices], poison)


def _size(part: Decoded) -> int:
    return len(part.indices) + len(part.poison)
