"""Which contracts and products are meant: `domain:weather`, `+punctuality.route-delays`, `state:changed+`.

A selector is a name, or `key:value`, with `+` before it for everything it is made from and after it for
everything made from it. Several select what any of them selects.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from mesh.contract.refinement import AVRO_SUFFIX
from mesh.contract.yaml import read
from mesh.declaration import CONTRACT_SUFFIX, PRODUCT_SUFFIX, Declaration, SourceFile
from mesh.errors import DeclarationError, Finding, Location, UsageError

KEYS = ("contract", "domain", "product", "state", "status", "tag")
_PRODUCT, _CONTRACT = "product", "contract"


@dataclass(frozen=True, slots=True)
class Node:
    """One contract or product as far as selecting needs it, also when its file does not hold."""

    kind: str
    name: str
    file: str
    domain: str
    status: str
    tags: tuple[str, ...]
    offers: tuple[str, ...] = ()  #: of a product: ids of contracts
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """What was meant; `untold` are files that do not even say what they declare: they are never left out."""

    contracts: frozenset[str]
    products: frozenset[str]
    files: frozenset[str]
    untold: frozenset[str]

    def of(self, declared: Declaration) -> Declaration:
        """The part of a declaration that was selected, with the findings about it."""
        return Declaration(
            {name: each for name, each in declared.contracts.items() if name in self.contracts},
            {name: each for name, each in declared.products.items() if name in self.products},
            tuple(finding for finding in declared.findings if self.concerns(finding)),
        )

    def concerns(self, finding: Finding) -> bool:
        """Whether a finding is about a selected file, or about no declaration at all."""
        where = finding.where
        file = where.file if isinstance(where, Location) else str(where)
        declares = file.endswith((CONTRACT_SUFFIX, PRODUCT_SUFFIX, AVRO_SUFFIX))
        return not declares or self.holds(file)

    def holds(self, file: str) -> bool:
        """Whether a file, or the contract that an Avro schema belongs to, was selected."""
        return _declaration_of(file) in self.files | self.untold


def select(
    selectors: Iterable[str],
    declared: Declaration,
    sources: Iterable[SourceFile] = (),
    changed: Callable[[], Collection[str]] = frozenset,
) -> Selection:
    """What the selectors mean; raises UsageError (MESH-U101 … U103) for one that means nothing.

    `sources` are the files of the declaration, so that those that do not hold can be selected too;
    `changed` answers which of them differ from the revision that `state:changed` compares with.
    """
    nodes, untold = _nodes(declared, sources)
    graph = _Graph(nodes)
    chosen: set[Node] = set()
    for selector in selectors:
        text = selector.strip()
        upstream, downstream = text.startswith("+"), text.endswith("+")
        start = _matching(text.strip("+"), nodes, changed, whole=selector)
        chosen |= start
        if upstream:
            chosen |= graph.reach(start, graph.before)
        if downstream:
            chosen |= graph.reach(start, graph.after)
    return Selection(
        frozenset(node.name for node in chosen if node.kind == _CONTRACT),
        frozenset(node.name for node in chosen if node.kind == _PRODUCT),
        frozenset(node.file for node in chosen),
        frozenset(untold),
    )


def _matching(
    text: str, nodes: Collection[Node], changed: Callable[[], Collection[str]], whole: str
) -> set[Node]:
    key, colon, value = text.partition(":")
    if not colon:
        return _named(text, nodes, whole)
    if key not in KEYS:
        raise _unknown(f"no selector begins with {key!r}:", "MESH-U101", whole, key, KEYS)
    if key == "state":
        if value != "changed":
            raise _unknown(f"no state is called {value!r}", "MESH-U101", whole, value, ("changed",))
        names = {_declaration_of(name) for name in changed()}
        return {node for node in nodes if node.file in names}
    if key in (_PRODUCT, _CONTRACT):
        return _named(value, [node for node in nodes if node.kind == key], whole)
    values: dict[Node, tuple[str, ...]] = {
        node: node.tags if key == "tag" else (node.domain if key == "domain" else node.status,)
        for node in nodes
    }
    found = {node for node, has in values.items() if any(fnmatchcase(each, value) for each in has)}
    if not found:
        known = sorted({each for has in values.values() for each in has if each})
        raise _unknown(f"nothing has the {key} {value!r}", "MESH-U103", whole, value, known)
    return found | _offered(found, nodes)


def _named(name: str, nodes: Collection[Node], whole: str) -> set[Node]:
    found = {node for node in nodes if fnmatchcase(node.name, name)}
    if not found:
        known = sorted(node.name for node in nodes)
        raise _unknown(f"no contract or product is called {name!r}", "MESH-U102", whole, name, known)
    return found | _offered(found, nodes)


def _offered(found: Collection[Node], nodes: Collection[Node]) -> set[Node]:
    """A product is selected with the contracts behind its output ports."""
    ids = {contract for node in found for contract in node.offers}
    return {node for node in nodes if node.kind == _CONTRACT and node.name in ids}


def _unknown(what: str, code: str, selector: str, word: str, known: Collection[str]) -> UsageError:
    near = difflib.get_close_matches(word, known, n=1)
    listed = ", ".join(list(known)[:10])
    return UsageError(
        what + (f"; did you mean {near[0]!r}?" if near else ""),
        code=code,
        where=selector,
        why=f"known: {listed or 'nothing'}" + (", …" if len(known) > 10 else ""),
        fix=f"mesh check {selector.replace(word, near[0])}"
        if near
        else "correct the selector; mesh check --help",
    )


class _Graph:
    """Who is made from whom: from the contracts a product reads, through it, to those it offers."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.before: dict[Node, set[Node]] = {}
        self.after: dict[Node, set[Node]] = {}
        every = list(nodes)
        contracts = {node.name: node for node in every if node.kind == _CONTRACT}
        for node in every:
            for name in node.reads:
                self._edge(contracts.get(name), node)
            for name in node.offers:
                self._edge(node, contracts.get(name))

    def _edge(self, source: Node | None, target: Node | None) -> None:
        if source is not None and target is not None:
            self.after.setdefault(source, set()).add(target)
            self.before.setdefault(target, set()).add(source)

    def reach(self, start: Iterable[Node], edges: Mapping[Node, set[Node]]) -> set[Node]:
        """Everything along the edges, the start left out unless a circle leads back to it."""
        reached: set[Node] = set()
        waiting = list(start)
        while waiting:
            for node in edges.get(waiting.pop(), ()):
                if node not in reached:
                    reached.add(node)
                    waiting.append(node)
        return reached


def _nodes(declared: Declaration, sources: Iterable[SourceFile]) -> tuple[list[Node], set[str]]:
    nodes = [
        Node(_CONTRACT, each.id, each.document.file, each.domain, each.status, each.tags)
        for each in declared.contracts.values()
    ]
    for product in declared.products.values():
        nodes.append(
            Node(
                _PRODUCT,
                product.full_name,
                product.document.file,
                product.domain,
                product.status,
                product.tags,
                tuple(port.contract_id for port in product.output_ports),
                tuple(port.contract_id for port in product.input_ports),
            )
        )
    known = {node.file for node in nodes}
    untold = set()
    for source in sources:
        if source.name not in known and source.name.endswith((CONTRACT_SUFFIX, PRODUCT_SUFFIX)):
            node = _told(source)
            if node is None:
                untold.add(source.name)
            else:
                nodes.append(node)
    return nodes, untold


def _told(source: SourceFile) -> Node | None:
    """What a file that does not hold says of itself; None when it does not say who it is."""
    try:
        data = read(source.raw, source.name).data
    except DeclarationError:
        return None
    if not isinstance(data, dict):
        return None
    name, domain = data.get("name"), data.get("domain")
    product = source.name.endswith(PRODUCT_SUFFIX)
    full_name = f"{domain}.{name}" if product and name and domain else data.get("id")
    if not isinstance(full_name, str) or not isinstance(domain, str):
        return None
    return Node(
        _PRODUCT if product else _CONTRACT,
        full_name,
        source.name,
        domain,
        str(data.get("status", "")),
        tuple(str(tag) for tag in _listed(data.get("tags"))),
        tuple(_ports(data.get("outputPorts"))),
        tuple(_ports(data.get("inputPorts"))),
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _ports(value: Any) -> Iterator[str]:
    for port in _listed(value):
        if isinstance(port, dict) and isinstance(port.get("contractId"), str):
            yield port["contractId"]


def _declaration_of(name: str) -> str:
    if name.endswith(AVRO_SUFFIX):
        return name.removesuffix(AVRO_SUFFIX) + CONTRACT_SUFFIX
    return name
