"""Test data from contracts: events that keep every rule, and events that break exactly one.

from mesh.fake import events

rows = events(contract, 1_000, seed=7)      dicts, ready for a publisher
Fake(contract, seed=7).batch(1_000)         the same as an Arrow batch
Faults(contract).broken("amount is in range", 1)
"""

from __future__ import annotations

from mesh.fake.events import Fake, events
from mesh.fake.faults import Faults
from mesh.fake.naming import contract_named

__all__ = ["Fake", "Faults", "contract_named", "events"]
