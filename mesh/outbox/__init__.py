"""The transactional outbox: events are written in the caller's own database transaction, published later.

    with sqlite3.connect("shop.db") as database:
        database.execute("insert into orders values (?, ?)", ("A-1", 12.5))
        outbox.write(database, {"order_id": "A-1", "amount": 12.5})

Either both are there after it or neither. A relay publishes what waits: at least once, in order, with the
id that the event got when it was written, so that an inbox can drop repeats.
"""

from mesh.outbox.relay import Relay
from mesh.outbox.rows import Row
from mesh.outbox.stores import Backlog, Store, store_of, table_of
from mesh.outbox.writing import Outbox

__all__ = ["Backlog", "Outbox", "Relay", "Row", "Store", "store_of", "table_of"]
