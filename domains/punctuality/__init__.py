"""The punctuality domain: why flights leave late, and on which routes."""
