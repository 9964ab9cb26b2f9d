"""Contracts in the forms of others: AsyncAPI, JSON Schema, Avro, Pydantic, Markdown, HTML."""
