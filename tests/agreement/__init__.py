"""One rule, many engines: generated events go through all of them, and they must agree.

`python -m tests.agreement [seconds]` runs it for as long as told, with new rules and events each round.
"""
