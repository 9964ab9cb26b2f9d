"""Effectively once: a group's effects in a database, each event's once, however often it is delivered."""

from mesh.inbox.inbox import KEPT, Inbox
from mesh.inbox.postgres import Postgres
from mesh.inbox.sqlite import SQLite

__all__ = ["KEPT", "Inbox", "Postgres", "SQLite"]
