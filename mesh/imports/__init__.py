"""Contracts from elsewhere: what an Avro schema or a Pydantic model says, in the words of the standard."""
