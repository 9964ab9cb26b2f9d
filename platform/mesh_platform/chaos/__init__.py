"""Chaos: processes die by kill -9 under load; a verifier looks for what was lost, doubled or turned round."""
