"""The embedded broker: one Kafka node in one process, for trying, developing and testing.

It speaks the Kafka protocol and claims no more than it is: one node, replication factor 1, no
transactions, no ACLs. Run it with `python -m mesh_platform.broker --data DIR`.
"""
