"""The schema registry: Confluent's REST interface on a pure state, with a gate for contracts."""
