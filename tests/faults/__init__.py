"""Faults: the embedded broker is killed under load, its files are damaged; a verifier looks for what is lost.

`python -m tests.faults --seed 7 --kills 100` runs one long round; the tests here run short ones.
"""
