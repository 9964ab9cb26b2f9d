"""The embedded broker: one Kafka node in one process, for trying, developing and testing.

It speaks the Kafka protocol and claims no more than it is: one node, replication factor 1, no ACLs. Run it
with `mesh broker run`, or `python -m mesh_platform.broker --data DIR`.

Where to begin: `process` puts it together; `server` and `connection` take frames to the handlers, one module
per family of requests (`produce`, `fetch`, `topics`, `groups`, `transactions` …). They work on a `node`,
which has topics with `log`s of `segment`s, a `coordinator` of groups, a `ledger` of transactions, and a
`store` for all that is no record.
"""
