"""What tests of plans share: one contract and product, planned against a world in memory."""

from __future__ import annotations

from mesh.apply import apply
from mesh.declaration import Declaration
from mesh.plan import Consent, Plan, make_plan
from mesh.plan.destroy import destroying
from tests.unit.contract_kit import CONTRACT, PRODUCT, declared, replaced
from tests.unit.twins import WorldTwin

TOPIC = "ops.flights.v1"
SUBJECT = f"{TOPIC}-value"
DAY_MS = 86_400_000
EVERYTHING = Consent(kinds=["lossy", "adopt"], names=[TOPIC, f"{TOPIC}.dlq"])
OTHER = (
    ("ops.flights.v1\nversion", "ops.rides.v1\nversion"),
    ("physicalName: ops.flights", "physicalName: ops.rides"),
)


def desired(*pairs: tuple[str, str]) -> Declaration:
    """The sample, with parts of its contract replaced."""
    return declared(replaced(CONTRACT, *pairs), PRODUCT).require()


def renamed() -> Declaration:
    """Another product of the same domain, instead of the sample."""
    product = PRODUCT.replace("flights", "rides")
    return declared(replaced(CONTRACT, *OTHER), product).require()


def plan(wanted: Declaration, twin: WorldTwin) -> Plan:
    """The plan of the whole domain."""
    return make_plan(wanted, twin.world.actual(wanted, ["ops"]), ["ops"])


def destruction(wanted: Declaration, twin: WorldTwin) -> Plan:
    """The plan that also removes what is not declared."""
    made = plan(wanted, twin)
    return destroying(made, twin.world.holders(made))


def applied(*pairs: tuple[str, str]) -> WorldTwin:
    """A world in which the sample is applied."""
    twin, wanted = WorldTwin(), desired(*pairs)
    list(apply(plan(wanted, twin), twin.world))
    return twin


def approved(twin: WorldTwin, *pairs: tuple[str, str]) -> Declaration:
    """A changed sample that governance has approved."""
    twin.platform.approve(replaced(CONTRACT, *pairs))
    return desired(*pairs)
