# `make help` lists the targets. Each sets up what it needs first; that takes no time when it is done.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup setup-venv dev demo test test-full check bench docs lock clean clean-lab

# The lab's programs (haproxy, sshd, dockerd) live in sbin, which is not on every user's PATH; where
# the machine has no terraform, setup makes one in .venv/bin.
export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin:$(CURDIR)/.venv/bin
python := .venv/bin/python

help: ## list the targets
	@sed -En 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

setup: ## install what is missing: .venv, lab packages, Docker engine
	@scripts/setup all

setup-venv:
	@scripts/setup venv

dev: ## the API of docker/ with hot reload, PostgreSQL, Redis and Adminer, until Ctrl-C
	@scripts/dev

demo: setup ## a guided tour of the main job on this machine, from first deploy to rollback
	@$(python) -m tests.lab.demo

test: setup ## tests, without those that take long (ARGS='-k swap' picks some)
	@$(python) -m tests.lab.prepare
	@$(call pytest,not alone and not full) $(at_once)
	@$(call pytest,alone and not full)

test-full: setup ## all tests
	@$(python) -m tests.lab.prepare
	@$(call pytest,not alone) $(at_once)
	@$(call pytest,alone)

# Droplets under load have the machine for themselves; all else runs side by side, three at a time
# for two processors, as a test in the lab waits more than it computes; each module is on one worker,
# in the order of tests/conftest.py. Nothing found to run (5) is no failure when ARGS picked it.
at_once := -n 3 --dist loadfile --no-loadscope-reorder
pytest = run() { $(python) -m pytest -m "$(1)" $(ARGS) "$$@" || [[ $$? == 5 && -n "$(ARGS)" ]]; }; run

check: setup-venv ## format, lint, types, layers, sizes, Terraform's form; needs no Docker engine
	@$(python) -m ruff format --check src tests
	@$(python) -m ruff check src tests
	@$(python) -m mypy
	@$(python) -m pytest --quiet tests/test_layers.py tests/test_size.py
	@terraform fmt -check -recursive terraform

bench: setup ## how fast it is: docs/benchmarks.md and all figures, 10 min (ARGS='deploy fleet')
	@$(python) -m tests.bench $(ARGS)

docs: setup-venv ## the documentation as a site, in site/
	@NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --quiet --strict
	@echo "site/index.html"

lock: ## write requirements.lock anew from pyproject.toml
	@scripts/lock

clean: clean-lab ## remove what all of this left: lab, .venv, caches, an engine that setup started
	@rm -rf docker/node_modules docker/*/*/node_modules docker/*/*/dist docker/*/*/.test
	@rm -rf docker/.turbo docker/*/*/.turbo
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build site
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Containers and networks go first, while the engine is still there.
clean-lab:
	@if [[ -x $(python) && -e tests/lab/clean.py ]] && docker version >/dev/null 2>&1; then \
		$(python) -m tests.lab.clean || echo "the lab was not cleaned up, see above" >&2; \
	fi
	@scripts/engine stop
