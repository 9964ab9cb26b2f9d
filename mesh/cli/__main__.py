"""`python -m mesh.cli` is `mesh`, for whoever starts it with a known interpreter."""

from mesh.cli.entry import run

run()
