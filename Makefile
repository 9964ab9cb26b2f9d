# One verb per target; each makes .venv by itself when it is missing. Needs Python 3.11+ only.
.DEFAULT_GOAL := help
.PHONY: help demo up test lint bench clean lock

# Where this is set, each of the thousands of processes that tests start would compile the whole mesh again.
unexport PYTHONDONTWRITEBYTECODE

# The first interpreter that runs and is new enough: a name on the PATH may be a shim without one behind it.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
BIN := .venv/bin
# Half of what tests do is wait for processes of their own: twice as many workers as two processors.
WORKERS ?= 4
READY := .venv/.ready
PEERS := .venv-peers/.ready

help: ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

# Everything that is installed is pinned by hash; the project itself comes last, without its dependencies.
$(READY): requirements/build.txt requirements/dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "mesh needs Python 3.11 or newer on the PATH, or: make PYTHON=/path/to/python" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check -q --require-hashes -r requirements/build.txt
	$(BIN)/python -m pip install --disable-pip-version-check -q --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e .
	touch $@

demo: $(READY) ## the whole mesh on a year of real flights
	$(BIN)/mesh demo

up: $(READY) ## broker, platform and quality worker, until Ctrl-C
	$(BIN)/mesh up

test: $(READY) ## all tests; those that need Java, Maven or Chromium skip loudly without
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

lint: $(READY) ## style, types, architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests/faults
	$(BIN)/lint-imports
	$(BIN)/mesh check

bench: $(READY) $(PEERS) ## measure; writes bench.json and docs/benchmarks.md
	$(BIN)/python -m tests.bench $(GROUPS)

# The peers pin clients of their own, so they live apart; nothing but the bench needs them.
$(PEERS): requirements/peers.txt
	test -x .venv-peers/bin/python || $(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --disable-pip-version-check -q --require-hashes -r requirements/peers.txt
	touch $@

LOCK = $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header --no-annotate

lock: $(READY) ## pin every dependency again
	$(BIN)/python -m pip install --disable-pip-version-check -q uv
	$(LOCK) requirements/build.in -o requirements/build.txt
	$(LOCK) pyproject.toml -o requirements/run.txt
	$(LOCK) --extra dev pyproject.toml -o requirements/dev.txt
	$(LOCK) requirements/peers.in -o requirements/peers.txt

clean: ## what was made here: environment, state, caches
	rm -rf .venv .venv-peers .mesh build dist bench.json .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
