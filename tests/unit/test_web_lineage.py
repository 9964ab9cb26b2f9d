"""The lineage drawing: left to right, nothing on top of anything, whatever the mesh looks like."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_platform.web.drawing import draw
from mesh_platform.web.layers import ROW, arrange
from mesh_platform.web.lineage import Lineage, LineageEdge, LineageNode


def lineage(*edges: str, alone: str = "") -> Lineage:
    """`a.x>b.y` is an edge from product x of domain a to product y of domain b."""
    pairs = [tuple(edge.split(">")) for edge in edges]
    names = dict.fromkeys([name for pair in pairs for name in pair] + alone.split())
    return Lineage(
        nodes=tuple(
            LineageNode(id=name, domain=name.split(".")[0], name=name.split(".")[1]) for name in names
        ),
        edges=tuple(LineageEdge(source=source, target=target) for source, target in pairs),
    )


def test_events_flow_from_left_to_right() -> None:
    column = arrange(lineage("a.x>b.y", "b.y>c.z", "a.x>c.z")).column
    assert column == {"a.x": 0, "b.y": 1, "c.z": 2}


def test_products_of_one_domain_in_one_column_share_a_card() -> None:
    drawing = draw(lineage(alone="a.x a.y b.z"))
    assert [card.domain for card in drawing.cards] == ["a", "b"]


def test_a_cycle_is_drawn_and_ends() -> None:
    drawing = draw(lineage("a.x>b.y", "b.y>c.z", "c.z>a.x"))
    assert len(drawing.curves) == 3


def test_a_product_that_reads_itself_is_drawn() -> None:
    assert len(draw(lineage("a.x>a.x")).curves) == 1


def test_an_edge_to_nowhere_is_left_out() -> None:
    edges = (LineageEdge(source="a.x", target="gone.y"),)
    assert draw(Lineage(nodes=lineage(alone="a.x").nodes, edges=edges)).curves == ()


def test_a_long_edge_passes_between_the_cards_of_the_columns_it_crosses() -> None:
    layers = arrange(lineage("a.x>b.y", "b.y>c.z", "a.x>c.z"))
    y = layers.centre["a.x past 1"]
    cards = [block for block in layers.blocks if block.domain and block.column == 1]
    assert all(not card.y <= y <= card.y + card.height for card in cards)


def test_crossings_that_order_can_avoid_are_avoided() -> None:
    drawing = draw(lineage("a.x>d.q", "b.y>d.p", "c.z>d.p", "a.x>d.p"))
    y = {spot.node.id: spot.y for spot in drawing.spots}
    pairs = [(y[edge.source], y[edge.target]) for edge in (curve.edge for curve in drawing.curves)]
    assert not any(one[0] < two[0] and one[1] > two[1] for one in pairs for two in pairs)


def test_ports_show_only_where_events_enter_or_leave() -> None:
    spots = {
        spot.node.id: (spot.inward, spot.outward) for spot in draw(lineage("a.x>b.y", alone="c.z")).spots
    }
    assert spots == {"a.x": (False, True), "b.y": (True, False), "c.z": (False, False)}


def test_an_empty_lineage_has_nothing_to_draw() -> None:
    drawing = draw(Lineage())
    assert (drawing.cards, drawing.spots, drawing.curves) == ((), (), ())


names = st.builds("{}.{}".format, st.sampled_from("abcde"), st.sampled_from("pqrs"))
meshes = st.lists(st.builds("{}>{}".format, names, names), max_size=30).map(lambda edges: lineage(*edges))


@settings(max_examples=60, deadline=None)
@given(meshes)
def test_no_card_lies_on_another_in_any_mesh(mesh: Lineage) -> None:
    cards = draw(mesh).cards
    for place, one in enumerate(cards):
        for two in cards[place + 1 :]:
            apart = one.x + one.width <= two.x or two.x + two.width <= one.x
            assert apart or one.y + one.height <= two.y or two.y + two.height <= one.y


@settings(max_examples=60, deadline=None)
@given(meshes)
def test_every_product_has_its_own_row_within_the_drawing(mesh: Lineage) -> None:
    drawing = draw(mesh)
    places = {(spot.x, spot.y) for spot in drawing.spots}
    assert len(places) == len(mesh.nodes)
    assert all(0 <= spot.y <= drawing.height - ROW for spot in drawing.spots)


@settings(max_examples=30, deadline=None)
@given(meshes)
def test_the_same_mesh_is_always_drawn_alike(mesh: Lineage) -> None:
    assert draw(mesh) == draw(mesh)
