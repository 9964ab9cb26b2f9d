"""Templates to text, strictly: a name that is not given is an error, never an empty place."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from mesh.templates.model import title_of

if TYPE_CHECKING:
    from jinja2 import Environment


def rendered(template: str, **facts: Any) -> str:
    """The text of a template."""
    return _environment().get_template(template).render(**facts)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # What is written is YAML and Python: HTML's escapes would only harm, and nobody's text is a template.
    made = Environment(
        loader=PackageLoader("mesh.templates", "files"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    made.filters.update(quoted=_quoted, yaml=_yaml, title_of=title_of)
    return made


def _quoted(text: str) -> str:
    """Text as YAML and Python read it back."""
    return json.dumps(text, ensure_ascii=False)


def _yaml(value: Any) -> str:
    import yaml

    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100))
