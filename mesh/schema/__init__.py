"""Avro schemas, guarded: `parse_schema` is the only door, and what comes out is safe to decode with."""

from mesh.schema.logical import Logical, logical_type
from mesh.schema.model import AvroSchema
from mesh.schema.parse import parse_any_schema, parse_recursive_schema, parse_schema

__all__ = [
    "AvroSchema",
    "Logical",
    "logical_type",
    "parse_any_schema",
    "parse_recursive_schema",
    "parse_schema",
]
