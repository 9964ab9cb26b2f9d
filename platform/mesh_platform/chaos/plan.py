"""Plan: a campaign before it begins; the seed decides who dies when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mesh_platform.chaos import consumer, pipeline, publisher
from mesh_platform.chaos.broken import KINDS
from mesh_platform.chaos.kills import Kill, Moments
from mesh_platform.up import BrokerKind

NODE = "node"
#: by role: when its lives end, and its share of all kills
ROLES: Mapping[str, tuple[Moments, int]] = {
    NODE: (Moments({}, patience=0.0, soonest=0.2, latest=3.0), 2),
    "publisher": (Moments(publisher.MOMENTS, patience=20.0, soonest=0.5, latest=8.0), 4),
    "consumer": (Moments(consumer.MOMENTS, patience=20.0, soonest=2.0, latest=10.0), 3),
    "pipeline": (Moments(pipeline.MOMENTS, patience=20.0, soonest=1.0, latest=8.0), 3),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a campaign is asked for. `rate` is events per second of all publishers; 0: as fast as they can.

    After `minutes` nobody dies any more, and what was reached by then counts.
    """

    seed: int
    kills: int
    events: int
    broker: BrokerKind = "embedded"
    nodes: int = 1
    publishers: int = 2
    consumers: int = 2
    pipelines: int = 2
    rate: float = 0.0
    minutes: float = 60.0
    bootstrap: str = ""
    broken: tuple[str, ...] = ()

    @property
    def names(self) -> dict[str, list[str]]:
        """The actors by role; broken ones bear the name of their fault, and leave no room for others."""
        counts = {"publisher": self.publishers, "consumer": self.consumers, "pipeline": self.pipelines}
        return {
            role: [kind for kind in self.broken if kind in KINDS[role]]
            or [f"{role[:2]}{number}" for number in range(count)]
            for role, count in counts.items()
        }

    @property
    def groups(self) -> dict[str, list[str]]:
        """By role the faults of its groups: each has effects of its own, and no fault is one group too."""
        return {
            role: [name for name in names if name in self.broken] or [""]
            for role, names in self.names.items()
            if names
        }

    def schedules(self) -> dict[str, list[Kill]]:
        """By actor the ends of its lives; those of the broker's nodes together, under `node`."""
        roles = {role: names for role, names in self.names.items() if names}
        if self.broker != "external":
            roles[NODE] = [NODE]
        shares = sum(ROLES[role][1] for role in roles)
        found: dict[str, list[Kill]] = {}
        left = self.kills
        for at, (role, names) in enumerate(roles.items()):
            moments, share = ROLES[role]
            due = left if at == len(roles) - 1 else self.kills * share // shares
            left -= due
            for number, name in enumerate(names):
                count = due // len(names) + (number < due % len(names))
                found[name] = moments.schedule(f"{self.seed} {name}", count)
        return found
