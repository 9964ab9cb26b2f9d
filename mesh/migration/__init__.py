"""All that a schema registry holds as a value, and the way from one registry to another.

steps = migration(source, target)     what is missing in the target, in an order that works
"""

from mesh.migration.model import NO_SETTINGS, WHOLE, Reference, RegistryCopy, SchemaVersion, ScopeSettings
from mesh.migration.steps import Conflict, Migration, Step, migration

__all__ = [
    "NO_SETTINGS",
    "WHOLE",
    "Conflict",
    "Migration",
    "Reference",
    "RegistryCopy",
    "SchemaVersion",
    "ScopeSettings",
    "Step",
    "migration",
]
