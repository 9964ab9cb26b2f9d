"""The registry's own description: an OpenAPI 3.1 document with exactly the routes that are served."""

from mesh_platform.registry.openapi.document import described, document

__all__ = ["described", "document"]
