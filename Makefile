# SSS Portal. `make help` lists what there is.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
DEMO := var/demo
# These would override the CA files that the simulator's clients are given.
unexport REQUESTS_CA_BUNDLE CURL_CA_BUNDLE SSL_CERT_FILE

.PHONY: help demo demo-reset rehearse test test-full check bench lock format

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

# The demo needs what the portal and the simulator need; tests need more.
$(VENV)/.demo: simulator/requirements.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r simulator/requirements.txt
	@touch $@

$(VENV)/.tests: tests/requirements.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/requirements.txt
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo ## Start the portal against the simulator, in the browser (PORT=8000)
	@$(BIN)/python -m portal.first_start $(DEMO)
	@PORTAL_VAR=$(DEMO) PORTAL_MODE=rehearsal $(BIN)/python manage.py demo --port $(PORT)

demo-reset: ## Forget what the demo has kept
	@rm -rf $(DEMO)
	@echo "The demo starts anew next time."

rehearse: $(VENV)/.demo ## The main job without a browser, checked against the simulator's ledger
	@folder=$$(mktemp -d) && trap "rm -rf $$folder" EXIT && \
	$(BIN)/python -m portal.first_start $$folder && \
	PORTAL_VAR=$$folder PORTAL_MODE=rehearsal $(BIN)/python manage.py rehearse $(ARGS)

test: $(VENV)/.tests ## Everything that is on this machine, on both databases
	@$(BIN)/python -m tests.run

test-full: $(VENV)/.tests ## The long matrices too (up to an hour)
	@$(BIN)/python -m tests.run --full

check: $(VENV)/.tests ## Format, lint, types, import rules, migrations, configuration
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@SECRET_KEY=check $(BIN)/mypy portal sync_setup mailboxes simulator tests manage.py
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/djade --check $$(git ls-files 'templates/*.html')
	@folder=$$(mktemp -d) && trap "rm -rf $$folder" EXIT && \
	SECRET_KEY=check PORTAL_VAR=$$folder $(BIN)/python manage.py makemigrations --check --dry-run

format: $(VENV)/.tests ## Format and mend what can be mended by itself
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .
	@$(BIN)/djade $$(git ls-files 'templates/*.html')

bench: $(VENV)/.tests ## Ratios against the limits of the same machine
	@$(BIN)/python -m tests.bench

UV = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
     --no-emit-index-url --no-emit-find-links --no-annotate
lock: $(VENV)/.tests ## Pin all requirements anew, with hashes
	@$(UV) tests/requirements.in -o tests/requirements.txt
	@$(UV) simulator/requirements.in -c tests/requirements.txt -o simulator/requirements.txt
	@$(UV) requirements.in -c tests/requirements.txt -o requirements.txt
	@$(UV) requirements-kerberos.in -c tests/requirements.txt -o requirements-kerberos.txt
