"""The relay of an outbox as a process to be killed: `relay.py BOOTSTRAP DATABASE`."""

from __future__ import annotations

import sys

from mesh.adapters.kafka_sender import GAPLESS, KafkaSender
from mesh.outbox import Relay, store_of

if __name__ == "__main__":
    bootstrap, database = sys.argv[1:]
    with Relay(store_of(database), KafkaSender(bootstrap, GAPLESS)) as relay:
        print('{"relaying": true}', flush=True)
        for _ in relay.run(lambda: True, lambda error: print(error, file=sys.stderr, flush=True)):
            pass
