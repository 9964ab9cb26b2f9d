"""The values that templates are filled with: names, checked once, and files to be."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from typing import NoReturn

from mesh import naming
from mesh.errors import UsageError

_ADDRESS = re.compile(r"[^@\s\"'<>]+@[^@\s\"'<>]+\Z")


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to be, by its path from the root of the mesh; a `shared` one may be there already."""

    path: str
    text: str
    shared: bool = False


@dataclass(frozen=True, slots=True)
class ProductName:
    """`<domain>.<product>` and all that is spelled after it."""

    domain: str
    name: str

    @property
    def full_name(self) -> str:
        """How people name it."""
        return f"{self.domain}.{self.name}"

    @property
    def title(self) -> str:
        """For people: `Late orders`."""
        return title_of(self.name)

    @property
    def table(self) -> str:
        """The name of its schema object: no hyphen, so that SQL needs no quotes."""
        return self.name.replace("-", "_")

    @property
    def module(self) -> str:
        """The Python module of its code."""
        return f"domains.{identifier(self.domain)}.{identifier(self.name)}"

    @property
    def folder(self) -> str:
        """Where its product file and its code are."""
        return f"domains/{identifier(self.domain)}"


def identifier(slug: str) -> str:
    """A slug as Python writes it."""
    plain = slug.replace("-", "_")
    return f"{plain}_" if keyword.iskeyword(plain) else plain


def title_of(slug: str) -> str:
    """A slug as people write it."""
    return slug.replace("-", " ").capitalize()


def product_name(text: str) -> ProductName:
    """`<domain>.<product>`, taken apart; raises UsageError with the name that was probably meant."""
    domain, dot, name = text.partition(".")
    if not dot or not naming.is_slug(domain) or not naming.is_slug(name):
        _refuse(text, "<domain>.<product>, such as sales.orders", ".".join(map(_slug, text.split(".", 1))), 2)
    return ProductName(domain, name)


def domain_name(text: str) -> str:
    """A domain's name; raises UsageError with the name that was probably meant."""
    if not naming.is_slug(text):
        _refuse(text, "one word, such as sales", _slug(text), 1)
    return text


def owner_address(text: str) -> str:
    """Who answers for it: an e-mail address; raises UsageError."""
    if not _ADDRESS.match(text):
        raise UsageError(
            f"{text!r} is no e-mail address",
            code="MESH-U136",
            why="an owner is somebody who can be asked",
            fix="write --owner ann@example.org",
        )
    return text


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _refuse(text: str, wanted: str, guess: str, parts: int) -> NoReturn:
    near = guess if len(guess.split(".")) == parts and all(map(naming.is_slug, guess.split("."))) else ""
    raise UsageError(
        f"{text!r} is not such a name" + (f"; did you mean {near!r}?" if near else ""),
        code="MESH-U135",
        why=f"it is {wanted}; each part lower case letters, digits and hyphens, 2 to 63, a letter first",
        fix=f"write {near}" if near else f"write {wanted}",
    )
