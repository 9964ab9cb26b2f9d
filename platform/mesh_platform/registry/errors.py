"""Every refusal of the registry: code, HTTP status and wording, as clients of schema registries know them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was not granted; what the client reads."""

    status: int
    error_code: int
    message: str


@dataclass(frozen=True, slots=True)
class Code:
    """One row of the table; `wording` is a format string."""

    error_code: int
    status: int
    wording: str

    def refuse(self, **facts: object) -> Refusal:
        """The refusal with `facts` filled in."""
        return Refusal(self.status, self.error_code, self.wording.format_map(facts))


# The request itself
BAD_REQUEST = Code(400, 400, "{reason}")
NOT_FOUND = Code(404, 404, "HTTP 404 Not Found")
NOT_ACCEPTABLE = Code(
    406, 406, "This registry answers application/vnd.schemaregistry.v1+json and application/json"
)
UNSUPPORTED_MEDIA_TYPE = Code(
    415, 415, "Send application/vnd.schemaregistry.v1+json or application/json: {reason}"
)

# The gate of the mesh
NOT_COVERED = Code(40301, 403, "{reason}")
NO_RIGHT = Code(40302, 403, "{reason}")

# Not there
SUBJECT_NOT_FOUND = Code(40401, 404, "Subject '{subject}' not found.")
VERSION_NOT_FOUND = Code(40402, 404, "Version {version} not found.")
SCHEMA_NOT_FOUND = Code(40403, 404, "Schema not found")
SCHEMA_ID_NOT_FOUND = Code(40403, 404, "Schema {id} not found")
SUBJECT_SOFT_DELETED = Code(
    40404, 404, "Subject '{subject}' was soft deleted.Set permanent=true to delete permanently"
)
SUBJECT_NOT_SOFT_DELETED = Code(
    40405, 404, "Subject '{subject}' was not deleted first before being permanently deleted"
)
VERSION_SOFT_DELETED = Code(
    40406,
    404,
    "Subject '{subject}' Version {version} was soft deleted.Set permanent=true to delete permanently",
)
VERSION_NOT_SOFT_DELETED = Code(
    40407, 404, "Subject '{subject}' Version {version} was not deleted first before being permanently deleted"
)
NO_SUBJECT_COMPATIBILITY = Code(
    40408, 404, "Subject '{subject}' does not have subject-level compatibility configured"
)
NO_SUBJECT_MODE = Code(40409, 404, "Subject '{subject}' does not have subject-level mode configured")
ASSOCIATION_NOT_FOUND = Code(40410, 404, "Associations are not kept here: subjects are named after topics")

# In conflict
INCOMPATIBLE = Code(
    409,
    409,
    "Schema being registered is incompatible with an earlier schema for "
    'subject "{subject}", details: {details}',
)

# Understood and refused
INVALID_SCHEMA = Code(42201, 422, "{reason}")
INVALID_VERSION = Code(
    42202,
    422,
    "The specified version '{version}' is not a valid version id. "
    'Allowed values are between [1, 2^31-1] and the string "latest"',
)
INVALID_COMPATIBILITY = Code(42203, 422, "{reason}")
INVALID_MODE = Code(42204, 422, "Invalid mode. Valid values are {modes}")
NOT_PERMITTED = Code(42205, 422, "{reason}")
REFERENCED = Code(
    42206,
    422,
    "One or more references exist to the schema "
    "{{magic=1,keytype=SCHEMA,subject={subject},version={version}}}.",
)
ID_MISMATCH = Code(42207, 422, "The schema has the id {actual}, not {given}")
INVALID_SUBJECT = Code(42208, 422, "The specified subject '{subject}' is not a valid subject: {reason}")
TOO_LARGE = Code(42209, 422, "The request is larger than {limit} bytes")
INVALID_RULE_SET = Code(42210, 422, "{reason}")
CONTEXT_NOT_EMPTY = Code(42211, 422, "The specified context '{context}' is not empty.")

# The registry's own trouble
STORE_ERROR = Code(50001, 500, "The registry could not write this down, nothing was changed: {reason}")
STORE_TIMEOUT = Code(
    50002,
    500,
    "The registry did not decide in time: register the same schema again, the answer will be the same",
)
