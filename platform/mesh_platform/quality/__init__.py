"""Window checks: what a contract promises, measured by Great Expectations over windows of its events.

    suite = Suite(contract)
    for result in suite.run(events):     # an Arrow table
        print(result.status, result.message)

The record rules guard every single event elsewhere; here is the evidence over many. A check that could
not be carried out is unknown, never passed.
"""
