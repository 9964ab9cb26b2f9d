"""The review of a change that breaks two consumers."""

from __future__ import annotations

from mesh.change import Bump, Change, Reason
from mesh_platform.web import review_view as r
from tests.e2e.sample_mesh import OPEN, before

REVIEW = r.ReviewView(
    card=OPEN,
    domain="operations",
    product="departures",
    from_version="1.2.0",
    to_version="1.3.0",
    summary="Two of three consumers would stop working, and retained events would lose the value.",
    description="The short name confuses new readers. `departure_delay` says what it is.",
    changes=(
        Change(
            "removed",
            "dep_delay",
            "integer, optional",
            "",
            "dep_delay",
            (
                Reason(
                    Bump.MAJOR,
                    "dep_delay",
                    "removed",
                    "integer, optional",
                    "",
                    ("reader",),
                    "dep_delay is gone: whoever reads it finds nothing any more.",
                ),
            ),
        ),
        Change(
            "added",
            "departure_delay",
            "",
            "integer, optional",
            "departure_delay",
            (
                Reason(
                    Bump.MINOR,
                    "departure_delay",
                    "added",
                    "",
                    "integer, optional",
                    ("reader", "publisher"),
                    "departure_delay is new. Readers who do not know it are not disturbed.",
                ),
            ),
        ),
        Change("changed", "carrier (description)", "Carrier code", "IATA carrier code", "carrier"),
    ),
    reasons=(
        r.Reason(
            path="dep_delay",
            text="The property goes without an alias, so readers of version 1.2.0 get no value.",
            breaking=True,
        ),
        r.Reason(path="carrier.description", text="Only the text changes.", breaking=False),
    ),
    consumers=(
        r.AffectedConsumer(
            name="punctuality.delay-causes",
            owner="Punctuality Office",
            effect="breaks",
            fields=("dep_delay",),
            detail="Read 41 s ago.",
        ),
        r.AffectedConsumer(
            name="punctuality.route-delays",
            owner="Punctuality Office",
            effect="breaks",
            fields=("dep_delay",),
            detail="Read 2 minutes ago.",
        ),
        r.AffectedConsumer(
            name="planning.dashboards",
            owner="Planning",
            effect="unknown",
            detail="Its subscription names no properties.",
        ),
    ),
    evidence=(
        r.Evidence(
            name="Replay of retained events",
            outcome="failed",
            detail="328,521 of 328,521 events lose dep_delay when read with 1.3.0.",
        ),
        r.Evidence(
            name="Generated events",
            outcome="passed",
            detail="1,000 of 1,000 events of 1.3.0 pass the new rules.",
        ),
        r.Evidence(name="Quality suite", outcome="unknown", detail="Did not finish within 30 seconds."),
    ),
    policies=(
        r.PolicyOutcome(
            name="personal-data-expires",
            title="Personal data is not kept for ever",
            state="refused",
            messages=(
                "operations.departures.v1 holds personal data, and its retention (for ever) is too long",
            ),
            why="Personal data may be kept as long as its purpose needs it.",
            fix="write the custom property retention of the schema: P400D, or less",
        ),
        r.PolicyOutcome(
            name="properties-described",
            title="Every property is described",
            state="warning",
            messages=(
                "the property 'departure_delay' has no description",
                "the property 'a_rather_long_name_of_a_property_that_wants_to_be_cut' has no description",
            ),
            why="A name is not enough to know what a value means, in which unit, and when it is missing.",
            fix="add description: with its meaning and its unit",
        ),
        r.PolicyOutcome(
            name="units-in-names",
            title="Units stand in the name",
            state="exempt",
            messages=("the property 'departure_delay' tells no unit",),
            note="until 2027-03-31",
        ),
    ),
    policies_passed=(
        "limits-stated",
        "owner-present",
        "property-names",
        "purpose-described",
        "support-channel",
    ),
    policies_hash="9eccaa14f9a11656044bd97d79ca00bbf58a6a197c12e57fa6af3cb9c4d095e7",
    history=(
        r.ReviewStep(at=before(hours=5), actor="ana@operations", action="proposed 1.3.0"),
        r.ReviewStep(
            at=before(hours=4),
            actor="kim@punctuality",
            action="asked for an alias",
            text="We read dep_delay in two places. Could it stay as an alias until March?",
        ),
    ),
    may_decide=True,
)
