"""The fleet domain: which aircraft fly."""
