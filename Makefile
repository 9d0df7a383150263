# `make` alone lists the targets. Everything happens in .venv, with the versions of requirements/dev.lock.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BENCH := .venv-bench
RUN := $(VENV)/bin/python -m
STROMAL := $(VENV)/bin/stromal

# The stamps live inside the environment, so that a removed or half-made environment is made again.
LOCKED := $(VENV)/.locked
INSTALLED := $(VENV)/.installed

.PHONY: help setup trial test check types imports lint format bench verify calibration scorecard wheel-check docs lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(INSTALLED) ## make .venv with the locked versions and install the package into it

$(LOCKED): requirements/dev.lock tools/make_environment.sh
	tools/make_environment.sh "$(PYTHON)" $(VENV) requirements/dev.lock
	@touch $@

$(INSTALLED): $(LOCKED) pyproject.toml
	$(RUN) pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable .
	@touch $@

trial: setup ## simulate the CARE-SSc trial (200 replicates) and write its report
	$(STROMAL) trial run examples/care-ssc.yaml --replicates 200 --seed 1 --resume

test: check ## what CI runs: the checks, then every test
	$(RUN) pytest

check: lint types imports ## the fast half of the tests: lint, format, types, import contracts

lint: setup ## ruff: lint and format
	$(RUN) ruff check
	$(RUN) ruff format --check

types: setup ## mypy, strict
	$(RUN) mypy

imports: setup ## import contracts: imports point downward only
	$(VENV)/bin/lint-imports

format: setup ## rewrite the sources as ruff would have them
	$(RUN) ruff check --fix
	$(RUN) ruff format

$(BENCH)/.made: requirements/bench.lock requirements/bench-amici.lock benchmarks/make_environment.sh pyproject.toml
	benchmarks/make_environment.sh "$(PYTHON)" $(BENCH)
	@touch $@

bench: $(BENCH)/.made ## throughput beside other engines at equal true error; writes docs/performance.md
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE OPENBLAS_NUM_THREADS=1 $(BENCH)/bin/python -m benchmarks

verify: wheel-check ## slow statistical verification, and the wheel in a new environment
	@for script in verification/*.py; do \
	    echo "== $$script"; \
	    $(VENV)/bin/python "$$script"; \
	done

calibration: setup ## learn the population from the published trials again, and put it into the package (an hour)
	$(STROMAL) calibrate --out runs/calibration --resume
	$(VENV)/bin/python tools/ship_calibration.py runs/calibration

scorecard: setup ## predict the published trials unseen and write docs/scorecard.md
	$(STROMAL) validate --seed 1 --out runs/scorecard
	$(VENV)/bin/python tools/scorecard_page.py runs/scorecard

wheel-check: setup ## build the wheel, install it outside the repository, run it there
	tools/check_wheel.sh "$(VENV)/bin/python"

docs: setup ## write the generated pages of docs/ again
	$(VENV)/bin/python tools/generate_docs.py

lock: ## write requirements/*.lock again (needs uv); UPGRADE=1 for the newest versions
	tools/lock.sh $(if $(UPGRADE),--upgrade)

clean: ## remove the environment, caches and build products
	rm -rf $(VENV) $(BENCH) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
