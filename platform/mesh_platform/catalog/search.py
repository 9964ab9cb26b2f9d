"""Searching the catalog: every word of the query must occur; names weigh more than descriptions."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from mesh_platform.catalog.index import Entry
from mesh_platform.web.views import Hit, ProductCard, SearchView

MOST = 100


def search(query: str, index: Mapping[str, Entry], made: Mapping[str, ProductCard]) -> SearchView:
    """What a query finds, best first; other queries that would find something when it finds nothing."""
    words = query.lower().split()
    scored = []
    for weight, title, text, hit in _everything(index, made):
        haystack = f"{title} {text}".lower()
        if all(word in haystack for word in words):
            score = weight + sum(3 for word in words if word in title.lower())
            scored.append((-score, title, hit))
    scored.sort(key=lambda row: row[:2])
    hits = tuple(hit for _, _, hit in scored[:MOST])
    suggestions: tuple[str, ...] = ()
    if not hits:
        vocabulary = sorted({part for name in index for part in [name, *name.replace(".", "-").split("-")]})
        suggestions = tuple(difflib.get_close_matches(query.lower(), vocabulary, n=3, cutoff=0.6))
    return SearchView(query=query, hits=hits, total=len(scored), suggestions=suggestions)


def _everything(
    index: Mapping[str, Entry], made: Mapping[str, ProductCard]
) -> Iterator[tuple[int, str, str, Hit]]:
    domains: set[str] = set()
    for name, entry in index.items():
        card, product, contract = made[name], entry.product, entry.contract
        url = f"/products/{card.domain}/{card.name}"
        text = " ".join([product.purpose, contract.usage, contract.limitations, *product.tags, card.owner])
        hit = Hit(
            kind="data product",
            title=name,
            url=url,
            excerpt=card.purpose,
            where=card.owner,
            health=card.health,
        )
        yield 6, name, text, hit
        if product.domain not in domains:
            domains.add(product.domain)
            yield (
                5,
                product.domain,
                card.owner,
                Hit(kind="domain", title=product.domain, url=f"/domains/{product.domain}", where=card.owner),
            )
        for prop in contract.properties:
            text = f"{prop.description} {' '.join(prop.tags)} {prop.classification}"
            yield (
                2,
                prop.name,
                text,
                Hit(
                    kind="property",
                    title=prop.name,
                    url=f"{url}#contract",
                    excerpt=prop.description,
                    where=name,
                ),
            )
