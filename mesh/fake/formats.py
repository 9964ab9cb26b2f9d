"""Text of the formats that ODCS names: uuid, email, uri and the like; and plain words."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

_WORDS: Final = (
    "amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "harbor", "inlet", "juniper",
    "kelp", "lagoon", "meadow", "north", "orchard", "pebble", "quarry", "river", "summit", "tundra",
    "upland", "valley", "willow", "yarrow", "zephyr",
)  # fmt: skip


def word(rng: Random) -> str:
    """One word."""
    return rng.choice(_WORDS)


def words(rng: Random) -> str:
    """One to three words."""
    return " ".join(rng.choices(_WORDS, k=rng.randint(1, 3)))


def code(rng: Random, least: int, most: int | None) -> str:
    """Letters and digits that hardly repeat: twelve, or as many as there may be."""
    count = max(12, least) if most is None else min(max(12, least), most)
    return "".join(rng.choices("abcdefghjkmnpqrstuvwxyz23456789", k=count))


def _uuid(rng: Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _host(rng: Random) -> str:
    # Names under example.org belong to nobody (RFC 2606), addresses under 192.0.2 and 2001:db8 neither.
    return f"{word(rng)}-{rng.randrange(1000)}.example.org"


def _email(rng: Random) -> str:
    return f"{word(rng)}.{word(rng)}{rng.randrange(10_000)}@example.org"


def _uri(rng: Random) -> str:
    return f"https://{_host(rng)}/{word(rng)}/{rng.randrange(100_000)}"


def _ipv6(rng: Random) -> str:
    return f"2001:db8::{rng.randrange(1, 0x10000):x}:{rng.randrange(1, 0x10000):x}"


def _password(rng: Random) -> str:
    return "".join(rng.choices("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789!?-", k=16))


def _base64(rng: Random) -> str:
    return base64.b64encode(rng.randbytes(rng.randint(3, 18))).decode()


FORMATS: Final[Mapping[str, Callable[[Random], str]]] = {
    "uuid": _uuid,
    "email": _email,
    "uri": _uri,
    "url": _uri,
    "hostname": _host,
    "ipv4": lambda rng: f"192.0.2.{rng.randrange(1, 255)}",
    "ipv6": _ipv6,
    "password": _password,
    "byte": _base64,
    "binary": lambda rng: rng.randbytes(8).hex(),
}


def shaped_like(example: str, rng: Random) -> str:
    """Text of the same shape: digits stay digits, letters letters of their case, the rest as it is."""
    return "".join([_alike(char, rng) for char in example])


def _alike(char: str, rng: Random) -> str:
    if "0" <= char <= "9":
        return rng.choice("0123456789")
    if "A" <= char <= "Z":
        return rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return rng.choice("abcdefghijklmnopqrstuvwxyz") if "a" <= char <= "z" else char
