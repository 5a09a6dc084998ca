# Two commands after a clone: `make demo` and `make test`. Everything else is for those who work on kubewhy.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PARTS ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/kubewhy/parts
export KUBEWHY_PARTS ?= $(abspath $(PARTS))/bin

.DEFAULT_GOAL := help
.PHONY: help demo test test-real bench lint docs docs-check lock parts eval clean

help: ## show this help
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(BIN)/.runtime ## set up, then diagnose a recorded incident over real protocols
	@$(BIN)/kubewhy demo $(SCENARIO)

test: $(BIN)/.dev ## set up, then the fast tests (under two minutes)
	@$(BIN)/python -m pytest -q -n auto --dist loadgroup -m "not real and not bench" $(ARGS)

test-real: $(BIN)/.dev parts ## the tests with real parts: needs root, Go, npm and Debian packages
	@$(BIN)/python -m pytest -q -m real $(ARGS)

parts: ## build and install the real parts that test-real needs (minutes at first, seconds later)
	@tests/parts/install $(PARTS) $(KUBEWHY_PARTS)

bench: $(BIN)/.dev ## measure; one JSON line a figure
	@for file in tests/bench/bench_*.py; do $(BIN)/python $$file || exit 1; done

eval: $(BIN)/.runtime ## accuracy over every scenario
	@$(BIN)/kubewhy eval tests/scenarios

lint: $(BIN)/.dev ## style, types, layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

docs: $(BIN)/.dev ## write the pages and files that come from the code
	@$(BIN)/python -m tools.docs
	@$(BIN)/python -m tools.messages
	@$(BIN)/python -m tools.make_bases
	@$(BIN)/python -m tools.collector

docs-check: $(BIN)/.dev ## fail when a committed page is stale
	@$(BIN)/python -m tools.docs --check
	@$(BIN)/python -m tools.messages --check
	@$(BIN)/python -m tools.make_bases --check
	@$(BIN)/python -m tools.collector --check

lock: $(BIN)/.dev ## renew the hashed requirements
	@$(BIN)/python -m tools.lock

clean: ## remove the virtual environment
	rm -rf $(VENV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "kubewhy needs Python 3.11 or newer; set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(BIN)/.runtime: requirements.lock pyproject.toml | $(BIN)/python
	@echo "setting up $(VENV) (once, about a minute) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(BIN)/.dev: requirements-dev.lock $(BIN)/.runtime
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@
