"""The difference of two products: ports, what they read, who owns them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mesh.change.bump import Bump
from mesh.change.model import BOTH, READER, Change, Difference, Reason
from mesh.contract.fields import Kind
from mesh.contract.words import other_words
from mesh.contract.yaml import plain
from mesh.product import Port, Product
from mesh.versioning import Version

_TOLD = {"version", "status", "team", "inputPorts", "outputPorts"}


def product_difference(old: Product, new: Product) -> Difference:
    """What differs between two texts of one product, the gravest first."""
    found = sorted(_changes(old, new), key=lambda change: -change.level)
    level = max((change.level for change in found), default=Bump.NONE)
    versions = Version.parse(old.version), Version.parse(new.version)
    return Difference("product", new.full_name, *versions, tuple(found), level, new.document.file)


def added_product(new: Product) -> Difference:
    """A product that is new."""
    version = Version.parse(new.version)
    return Difference("product", new.full_name, None, version, (), Bump.MINOR, new.document.file)


def removed_product(old: Product) -> Difference:
    """A product that is gone, and its ports with it."""
    version, level = Version.parse(old.version), Bump.MINOR if old.status == "retired" else Bump.MAJOR
    return Difference("product", old.full_name, version, None, (), level, old.document.file)


def _changes(old: Product, new: Product) -> Iterator[Change]:
    yield from _ports("output port", _by_name(old.output_ports), _by_name(new.output_ports), Bump.MAJOR)
    yield from _ports("input port", _by_name(old.input_ports), _by_name(new.input_ports), Bump.PATCH)
    for subject, before, after in (
        ("owner", old.team_name, new.team_name),
        ("team", _people(old), _people(new)),
        ("status", old.status, new.status),
    ):
        if before != after:
            level = Bump.MINOR if subject == "status" and after in ("deprecated", "retired") else Bump.PATCH
            sentence = f"The {subject} was {before or 'not said'} and is now {after or 'not said'}."
            yield _change("changed", subject, before, after, level, sentence)

    for word in other_words(plain(old.document.data), plain(new.document.data), "the product", _TOLD):
        subject = f"{word.owner} ({word.key})"
        reason = Reason(
            Bump.PATCH, subject, "words", word.before, word.after, BOTH, "It is said in other words."
        )
        yield Change("changed", subject, word.before, word.after, "", (reason,))


def _ports(what: str, old: Mapping[str, Port], new: Mapping[str, Port], lost: Bump) -> Iterator[Change]:
    """`lost` is what it takes when a port goes or leads elsewhere."""
    for name, port in new.items():
        subject = f"{what} {name}"
        if name not in old:
            sentence = f"The {what} {name} is new: {port.contract_id}."
            yield _change("added", subject, "", _port(port), min(lost, Bump.MINOR), sentence)
        elif old[name].contract_id != port.contract_id:
            sentence = (
                f"The {what} {name} led to {old[name].contract_id} and leads to {port.contract_id} now."
            )
            yield _change("changed", subject, _port(old[name]), _port(port), lost, sentence)
        elif _port(old[name]) != _port(port):
            sentence = f"The {what} {name} is described anew."
            if old[name].fields != port.fields:
                sentence = (
                    f"The {what} {name} reads {', '.join(port.fields) or 'fields it does not name'} now."
                )
            yield _change("changed", subject, _port(old[name]), _port(port), Bump.PATCH, sentence)
    for name, port in old.items():
        if name not in new:
            sentence = f"The {what} {name} is gone: {port.contract_id}."
            yield _change("removed", f"{what} {name}", _port(port), "", lost, sentence)


def _change(kind: Kind, subject: str, before: str, after: str, level: Bump, sentence: str) -> Change:
    concerns = BOTH if level is Bump.PATCH else READER
    reason = Reason(level, subject, subject.split(" ")[0], before, after, concerns, sentence)
    return Change(kind, subject, before, after, "", (reason,))


def _by_name(ports: tuple[Port, ...]) -> dict[str, Port]:
    return {port.name: port for port in ports}


def _port(port: Port) -> str:
    words = [port.contract_id, port.version, port.description]
    words += [f"reads {', '.join(port.fields)}"] if port.fields else []
    return ", ".join(filter(None, words))


def _people(product: Product) -> str:
    return ", ".join(f"{member.name or member.username} ({member.role})" for member in product.team)
