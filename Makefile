# What a person or CI does with a checkout. A bare Debian needs python3 (3.11 or newer), make and git; the rest comes with
# the locked requirements. `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
EXTRAS := notebook,nvidia,postgresql
# Tests wait for servers most of the time: two for each core keep it busy.
PROCESSES ?= $(shell echo $$((2 * $$(nproc))))
# Tests and benchmarks start hundreds of processes: each would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE
N ?= $(if $(filter fuzz,$(MAKECMDGOALS)),3000,20)

.PHONY: help run install test lint format docs bench crash fuzz lock clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

run: $(VENV)/.installed ## start a server; ARGS="--port 9000" hands its arguments on
	@exec $(BIN)/trivium server start $(ARGS)

install: $(VENV)/.installed ## make .venv with all that a server needs, and no more

test: $(VENV)/.tested ## the whole test suite, in parallel; ARGS="tests/unit -k pages" narrows it
	@tools/postgresql
	@$(BIN)/python -m pytest -n $(PROCESSES) --maxprocesses 8 $(ARGS)

lint: $(VENV)/.tested ## format, style, types, directions of imports, locks
	@status=0; \
	$(BIN)/ruff format --check . || status=1; \
	$(BIN)/ruff check . || status=1; \
	$(BIN)/lint-imports --no-logo || status=1; \
	$(BIN)/python tools/check_locks.py || status=1; \
	$(BIN)/pyright --pythonpath $(BIN)/python || status=1; \
	exit $$status

format: $(VENV)/.tested ## put every file in the one form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: $(VENV)/.tested ## write the pages of docs/ that are made from the program
	@$(BIN)/python -m tools.coverage_page
	@$(BIN)/python -m tools.reference_page

bench: $(VENV)/.tested ## how fast lists, starts, imports, the proxy and the server are; ARGS="list --peer jupyterhub" narrows it
	@tools/postgresql
	@$(BIN)/python -m benchmarks $(ARGS)

crash: $(VENV)/.tested ## kill servers at random moments and at every step; N=200 kills for each database, ARGS="--crash-seed 7"
	@tools/postgresql
	@$(BIN)/python -m pytest -m crash -n $(PROCESSES) --kills $(N) --points 0 --shrink 600 --timeout 0 -rA $(ARGS)

fuzz: $(VENV)/.tested ## send what nobody should: raw bytes, every operation's parameters; N=100000 for more of it, and for growth
	@$(BIN)/python -m pytest -m fuzz -n 0 --requests $(N) --timeout 0 -rA $(ARGS)

lock: ## resolve the requirements anew; UPGRADE=1 takes newer versions than the locks have
	@tools/lock $(if $(UPGRADE),--upgrade)

clean: ## remove what the targets above made, data of servers apart
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis .crash
	find src tests benchmarks tools -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# The second run starts at once: these marks are older than a lock only when the lock has changed.

$(VENV)/.made:
	@tools/venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.made requirements/run.txt pyproject.toml
	@echo 'Installing the locked requirements into $(VENV), once' >&2
	@$(PIP) install -qq --require-hashes -r requirements/run.txt
	@$(PIP) install -qq --no-deps --no-build-isolation --editable '.[$(EXTRAS)]'
	@touch $@

$(VENV)/.tested: $(VENV)/.made requirements/test.txt pyproject.toml
	@echo 'Installing the locked requirements into $(VENV), once' >&2
	@$(PIP) install -qq --require-hashes --no-deps -r requirements/test.txt # all are there; pip looks for mcp[cli] as for another
	@$(PIP) install -qq --no-deps --no-build-isolation --editable '.[$(EXTRAS)]'
	@touch $@ $(VENV)/.installed
