"""Clients that nobody here wrote: one script each, against a broker given by address."""
