# Each target does its own set-up: a virtual environment from the locked, hashed requirements, then the project itself.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test test-libcamera test-opencv4 set-up-opencv4 test-postgres check format bench bench-vision bench-loss lock clean screenshots catalogues hardware-pdfs hardware-docs it-docs deb test-arm64 test-units

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet
SOURCES := wire device fleet provisioning lab hardware tests scripts

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo 'Carrel needs Python 3.11 or newer as "$(PYTHON)". Install it, or: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
	  || { echo 'Python can make no virtual environment here. Type:  apt-get install python3-venv   and run make again.' >&2; exit 1; }
	@echo 'Making $(VENV) ...'
	@$(PYTHON) -m venv $(VENV)

# Two steps, because --require-hashes refuses a local project: the locked wheels (build backend included), then Carrel.
$(VENV)/%.installed: requirements/%.txt pyproject.toml | $(BIN)/python
	@echo 'Installing the locked requirements of requirements/$*.txt (a minute or two the first time) ...'
	@$(PIP) install --require-hashes --only-binary :all: --requirement requirements/$*.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(VENV)/demo.installed ## broker, fleet and three kiosks on this machine; Ctrl-C ends it (DEMO_ARGS='--kiosks 1')
	@exec $(BIN)/carrel-lab demo $(DEMO_ARGS)

test: $(VENV)/test.installed ## all tests, with everything they need (TEST_ARGS='-k minutes')
	@scripts/system-packages
	@$(BIN)/python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder $(TEST_ARGS)

test-libcamera: ## the Pi's cameras on the real libcamera, in a Debian 13 of its own (as root; no part of make test)
	@scripts/test-libcamera

deb: $(VENV)/demo.installed ## the package for a Raspberry Pi, in dist/; it installs there without a network
	@PYTHON=$(BIN)/python scripts/deb

test-arm64: $(VENV)/demo.installed ## that package and its tests on an emulated arm64 Debian 13 (as root; no part of make test)
	@PYTHON=$(BIN)/python scripts/test-arm64

test-units: $(VENV)/demo.installed ## the units on a real systemd of their own (as root; no part of make test)
	@PYTHON=$(BIN)/python scripts/test-units

# The OpenCV that a Pi has from apt, in a virtual environment of its own. These tests call all of it that the picture checks call,
# and judge whole clips by it; what only decides on numbers (votes, covers, verdicts) or prints asks no more of it.
OPENCV4_TESTS := $(foreach one,cards faults focus healthy mat pose statistics stored worksheet,tests/device/vision/test_$(one).py) \
  $(foreach one,preview scenes sources,tests/device/cameras/test_$(one).py)

test-opencv4: set-up-opencv4 ## the tests of pictures on OpenCV 4.10, as Debian 13 has it (a part of .ci/run)
	@.venv-opencv4/bin/python -m pytest --numprocesses 2 --dist loadfile $(OPENCV4_TESTS) $(TEST_ARGS)

set-up-opencv4:
	@$(MAKE) --no-print-directory VENV=.venv-opencv4 .venv-opencv4/test-opencv4.installed

# What must be the same on the other database: the store, the ledgers, the ingest, the sessions.
test-postgres: $(VENV)/test.installed ## the fleet's store on a PostgreSQL made for it and gone afterwards (a part of .ci/run)
	@scripts/test-postgres $(BIN)/python -m pytest --numprocesses 3 -m 'not sqlite' tests/fleet/test_store.py \
	  tests/fleet/test_ledger.py tests/fleet/test_ingest.py tests/fleet/test_same_minutes.py $(TEST_ARGS)

check: $(VENV)/test.installed ## format, lint, types, import rules
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/test.installed ## put the code into its format
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check --fix $(SOURCES)

bench: $(VENV)/test.installed ## print the figures, with raw samples in bench-results/
	@$(BIN)/python -m lab.bench

bench-vision: $(VENV)/test.installed ## what the picture checks say of labelled faults, on clips they were not made on (BENCH_ARGS=--quick)
	@$(BIN)/python -m lab.bench.vision $(BENCH_ARGS)

bench-loss: $(VENV)/test.installed ## break everything and print what was lost (BENCH_ARGS=--quick, --mutate or names)
	@$(BIN)/python -m lab.bench.loss $(BENCH_ARGS)

screenshots: $(VENV)/test.installed ## take the pictures in docs/screenshots anew
	@scripts/system-packages
	@$(BIN)/python -m pytest --quiet tests/system/test_screens.py tests/system/test_commissioning.py \
	  tests/system/test_worksheet_still.py tests/system/test_incidents.py tests/system/test_before_the_agent.py \
	  --screenshots docs/screenshots
	@$(BIN)/python scripts/day_pictures.py docs/screenshots --few

catalogues: $(VENV)/test.installed ## bring every language of the kiosk's screen up to the English one
	@$(BIN)/python scripts/catalogues.py

hardware-pdfs: $(VENV)/demo.installed ## desk mat, student cards and camera plate to print, in hardware/out/
	@mkdir -p hardware/out
	@for paper in a3 tabloid; do $(BIN)/python -m hardware.desk_mat --paper $$paper -o hardware/out/desk-mat-$$paper.pdf || exit; done
	@for paper in a4 letter; do $(BIN)/python -m hardware.cards --paper $$paper -o hardware/out/cards-$$paper.pdf || exit; done
	@for paper in a4 letter; do $(BIN)/python -m hardware.mount --paper $$paper -o hardware/out/mount-$$paper.pdf || exit; done
	@ls hardware/out/*.pdf

hardware-docs: $(VENV)/demo.installed ## the kit's drawings and its bill of materials, anew from hardware/kit.toml
	@$(BIN)/python -m hardware.documents

it-docs: $(VENV)/demo.installed ## the page of signals for campus IT, anew from wire/signal_table.py
	@$(BIN)/python -m lab.signals_page

lock: ## resolve requirements/*.txt anew from pyproject.toml (needs uv)
	@scripts/lock

clean: ## remove what the targets above made
	@rm -rf $(VENV) .venv-opencv4 bench-results demo-data hardware/out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .foreign
