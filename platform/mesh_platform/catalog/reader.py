"""The pages' reader over the live platform: governance, registry and observation joined into views."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from mesh.errors import MeshError
from mesh_platform.catalog import cards, reviews
from mesh_platform.catalog.index import Entry, entries
from mesh_platform.catalog.maps import mesh_map, neighbourhood
from mesh_platform.catalog.observed import LatestEvent
from mesh_platform.catalog.observer import Observer
from mesh_platform.catalog.product_page import PageSources, product_page
from mesh_platform.catalog.search import search
from mesh_platform.control import ControlPlane
from mesh_platform.web.product_view import Connection, ProductView
from mesh_platform.web.review_view import ReviewsView, ReviewView
from mesh_platform.web.views import DomainCard, DomainView, HomeView, ProductCard, SearchView, Visitor

OPEN, LATEST_ACTIVITY = 20, 12


class CatalogReader:
    """A PageReader; every value it shows comes from the control log or from the last look at the broker."""

    def __init__(
        self, control: ControlPlane, observer: Observer, *, bootstrap: str, registry_url: str
    ) -> None:
        self._control = control
        self._observer = observer
        self._connection = Connection(bootstrap=bootstrap, registry=registry_url)

    async def home(self, _visitor: Visitor) -> HomeView:
        """The mesh at a glance."""
        index = entries(self._control.governance)
        made = {name: self._card(entry) for name, entry in index.items()}
        events = [card.events for card in made.values() if card.events is not None]
        governance = self._control.governance
        return HomeView(
            map=mesh_map(index, made),
            domains=cards.by_domain(index, made),
            events=sum(events) if events else None,
            consumers=len({group for _, group in governance.subscriptions}),
            reviews=reviews.open_cards(governance),
            activity=cards.activity(self._control.recent)[:LATEST_ACTIVITY],
        )

    async def domain(self, _visitor: Visitor, domain: str) -> DomainView | None:
        """One domain."""
        index = entries(self._control.governance)
        made = {name: self._card(entry) for name, entry in index.items()}
        found = [card for card in cards.by_domain(index, made) if card.name == domain]
        if not found:
            return None
        card: DomainCard = found[0]
        own = {name for name, entry in index.items() if entry.product.domain == domain}
        return DomainView(
            domain=card,
            lineage=neighbourhood(index, made, own),
            reviews=tuple(
                r for r in reviews.open_cards(self._control.governance) if r.contract.startswith(f"{domain}.")
            ),
            activity=tuple(a for a in cards.activity(self._control.recent) if f" {domain}." in f" {a.text}")[
                :LATEST_ACTIVITY
            ],
        )

    async def product(self, _visitor: Visitor, domain: str, product: str) -> ProductView | None:
        """One data product, with its newest events."""
        index = entries(self._control.governance)
        name = f"{domain}.{product}"
        entry = index.get(name)
        if entry is None:
            return None
        made = {other: self._card(found) for other, found in index.items()}
        latest = await asyncio.to_thread(self._latest, entry)
        sources = PageSources(
            control=self._control,
            observation=self._observer.now,
            quality=self._observer.quality.product(entry.contract.id),
            latest=latest,
            connection=self._connection,
        )
        return product_page(entry, made[name], neighbourhood(index, made, {name}), sources)

    async def reviews(self, _visitor: Visitor) -> ReviewsView:
        """Open and decided reviews."""
        return reviews.all_reviews(self._control.governance)

    async def review(self, visitor: Visitor, review_id: str) -> ReviewView | None:
        """One review."""
        number = int(review_id) if review_id.isdecimal() and len(review_id) < 9 else 0
        proposal = self._control.governance.proposals.get(number)
        return reviews.review_page(self._control.governance, proposal, visitor) if proposal else None

    async def search(self, _visitor: Visitor, query: str) -> SearchView:
        """Products, domains, properties and reviews whose words contain the query's."""
        index = entries(self._control.governance)
        return search(query, index, {name: self._card(entry) for name, entry in index.items()})

    async def changes(self, _visitor: Visitor) -> AsyncIterator[str]:
        """Says `mesh` whenever the control log or what is observed has moved."""
        before = self._mark()
        while True:
            await asyncio.sleep(1.0)
            now = self._mark()
            if now != before:
                before = now
                yield "mesh"

    def _mark(self) -> tuple[int, int, int]:
        recent = self._control.recent
        topics = self._observer.now.topics.values()
        return (
            recent[-1].offset if recent else -1,
            sum(t.events for t in topics),
            self._observer.quality.count,
        )

    def _card(self, entry: Entry) -> ProductCard:
        quality = self._observer.quality.product(entry.contract.id)
        return cards.product_card(entry, self._observer.now, quality)

    def _latest(self, entry: Entry) -> Sequence[LatestEvent]:
        try:
            return self._observer.latest(entry.contract.id)
        except MeshError:
            # The page stands without them: its facts say when the broker was last seen.
            return ()
