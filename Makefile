# `make demo` and `make test` work on a fresh clone with only Python (>= 3.11) and make.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v $$p; break; }; done)
BIN := .venv/bin
FOR ?=
HOURS ?= 1000
SEED ?= 1
FREQTRADE ?=
ARGS ?=
ENGINE ?= docker
IMAGE ?= reconciler:dev

.PHONY: help install demo test test-freqtrade checkers test-deploy test-image simulate bench lint types check image lock clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: .venv/.installed ## the program and everything it needs, in .venv

# Built aside and moved into place only when whole: an interrupted install leaves nothing half done.
.venv/.installed: constraints.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "reconciler needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "installing into .venv with $(PYTHON) (once, about half a minute) ..."
	@trap 'rm -rf .venv; exit 130' INT TERM; rm -rf .venv; \
	{ $(PYTHON) -m venv .venv && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . && \
	  touch $@; } || { rm -rf .venv; exit 1; }

demo: install ## watch the daemon work: make demo [FOR=seconds]
	@exec $(BIN)/reconciler demo $(if $(FOR),--for $(FOR)) $(ARGS)

test: install ## every test: make test [ARGS="-k ghost"]
	@exec $(BIN)/python -m pytest -n auto $(ARGS)

test-freqtrade: install ## against a real freqtrade: make test-freqtrade FREQTRADE=/path/to/its/python
	@RECONCILER_TEST_FREQTRADE=$(FREQTRADE) exec $(BIN)/python -m pytest -n0 \
		tests/integration/deactivation tests/integration/presets -k freqtrade $(ARGS)

checkers: install ## what checks deploy/: helm, compose, hadolint, the schemas' checkers, in .checkers
	@exec $(BIN)/python deploy/checkers/install.py

test-deploy: checkers ## deploy/ by its real checkers and servers; a missing one fails
	@RECONCILER_CHECKERS=required exec $(BIN)/python -m pytest -n0 -m "stack or not stack" tests/deploy $(ARGS)

test-image: image ## the image: healthy, read-only, no capabilities, SIGTERM: make test-image [ENGINE=podman]
	@ENGINE="$(ENGINE)" exec deploy/image/smoke.sh $(IMAGE)

bench: install ## what a cycle costs, over its floor: make bench [ARGS="--only cycle"]
	@exec $(BIN)/python -m benchmarks $(ARGS)

simulate: install ## bot, venue and daemon under virtual time: make simulate [HOURS=1000] [SEED=1]
	@exec $(BIN)/python -m tests.simulation --hours $(HOURS) --seed $(SEED) $(ARGS)

lint: install ## ruff, import contracts, dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/deptry .

types: install ## mypy, strict
	$(BIN)/mypy

check: test lint types ## everything that CI runs, but the smoke run

image: ## the container image: make image [IMAGE=reconciler:dev] [ENGINE=podman]
	$(ENGINE) build --build-arg VERSION=$(lastword $(subst :, ,$(IMAGE))) \
		--build-arg REVISION=$$(git rev-parse --short HEAD 2>/dev/null || echo unknown) -t $(IMAGE) .

lock: ## write constraints.txt and the image's parts of it anew (needs uv)
	uv pip compile pyproject.toml --extra demo --group dev --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate -o constraints.txt
	uv pip compile pyproject.toml --extra demo --universal --python-version 3.11 -c constraints.txt \
		--generate-hashes --no-header --no-annotate -o deploy/image/requirements.txt
	echo hatchling | uv pip compile - --universal --python-version 3.11 -c constraints.txt \
		--generate-hashes --no-header --no-annotate -o deploy/image/build-requirements.txt

clean: ## remove what make made
	rm -rf .venv .checkers .mypy_cache .ruff_cache .pytest_cache .hypothesis
