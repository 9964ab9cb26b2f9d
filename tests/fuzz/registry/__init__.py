"""Mutated HTTP requests at the registry: what it says, what it costs it, and whether anyone else notices."""
