"""The operations domain: flights that left, and flights that did not."""
