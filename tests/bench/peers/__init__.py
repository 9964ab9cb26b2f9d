"""The peers, each as its own documentation would have it, in an environment of their own without mesh.

`python -m tests.bench.peers.quix publish --bootstrap …` prints the seconds it took as JSON.
"""
