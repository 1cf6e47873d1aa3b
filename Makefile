SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run train test slow bench bench-editor check lint format-check types docs-check test38 format docs clean

VENV ?= .venv
VENV38 ?= .venv38
ARGS ?=
PYTEST_ARGS ?=
export PYTHON TORCH TORCH_INDEX
test_extras := dev,onnx,editor,mujoco,gymnasium,record

py := "$(VENV)/bin/python"
# A process per core, up to four; a file stays in one process. JOBS=0 runs the suite in this process.
JOBS ?= $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$((cores > 4 ? 4 : cores)))
# One thread: the suite compares results bit for bit, and small tensors are slower on two.
pytest_environment := OMP_NUM_THREADS=1 MPLBACKEND=Agg
pytest := $(pytest_environment) $(py) -m pytest
parallel := -n $(JOBS) --dist loadfile

help: ## Say what each target does
	@grep -hE '^[a-z0-9-]+:.*## ' Makefile | sed -E 's/^([a-z0-9-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'
	@echo
	@echo 'Variables: PYTHON=python3.12 (interpreter of a new environment)  TORCH=cpu|cuda|skip  VENV=.venv  ARGS="..." (for run, bench)'
	@echo '           PYTEST_ARGS="..." (for test, slow, test38)  JOBS=2 (processes of test, test38)'

run: ## Create the environment, install, and open the Cartpole example; without a display, train it
	@scripts/bootstrap "$(VENV)"
	@if $(py) scripts/has_display.py; then \
	  scripts/bootstrap "$(VENV)" editor && "$(VENV)/bin/dnne" $(or $(ARGS),examples/cartpole_ppo.json); \
	else \
	  echo '==> Training the example here in the terminal instead of opening the editor'; \
	  "$(VENV)/bin/dnne" demo $(ARGS); \
	fi

train: ## Create the environment, install, and train the Cartpole example in the terminal
	@scripts/bootstrap "$(VENV)"
	"$(VENV)/bin/dnne" demo $(ARGS)

test: ## Run the test suite
	@scripts/bootstrap "$(VENV)" $(test_extras)
	$(pytest) $(parallel) $(PYTEST_ARGS)

slow: ## Run the tests that take minutes (learning, memory)
	@scripts/bootstrap "$(VENV)" $(test_extras),bench
	$(pytest) -m slow --timeout 3600 $(PYTEST_ARGS)

bench: ## Run the benchmarks against a hand-written loop and other libraries
	@scripts/bootstrap "$(VENV)" $(test_extras),bench
	OMP_NUM_THREADS=1 $(py) -m tests.benchmarks $(ARGS)

bench-editor: ## Measure the editor while a training goes on: latency, speed of its hosts, memory (needs a display, or xvfb-run)
	@scripts/bootstrap "$(VENV)" $(test_extras)
	OMP_NUM_THREADS=1 $(if $(DISPLAY),,xvfb-run -a) $(py) -m tests.benchmarks.editor_running $(ARGS)

check: lint format-check types docs-check ## Check style, types, and that docs/nodes.md is up to date

.PHONY: tools
tools:
	@scripts/bootstrap "$(VENV)" $(test_extras)
	@$(py) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "make check needs Python 3.10 or newer: make check VENV=.venv-check PYTHON=python3.11")'

lint: tools
	$(py) -m ruff check .

format-check: tools
	$(py) -m ruff format --check .

types: tools
	$(py) -m mypy

docs-check: tools
	$(py) -m app.cli nodes --markdown --check docs/nodes.md

format: tools ## Format the code and mend what ruff can mend
	$(py) -m ruff check --fix .
	$(py) -m ruff format .

docs: tools ## Write docs/nodes.md from the declarations of the nodes
	mkdir -p docs
	$(py) -m app.cli nodes --markdown > docs/nodes.md.new
	mv docs/nodes.md.new docs/nodes.md

test38: ## Run the test suite on Python 3.8, where there is one (with CI=true there must be)
	@if python38=$$(scripts/find-python 3.8); then \
	  PYTHON="$$python38" scripts/bootstrap "$(VENV38)" $(test_extras); \
	  $(pytest_environment) "$(VENV38)/bin/python" -m pytest $(parallel) $(PYTEST_ARGS); \
	elif [ "$${CI:-}" = true ]; then \
	  echo 'error: CI=true, and the tests on Python 3.8 cannot run without a Python 3.8' >&2; exit 1; \
	else \
	  echo 'SKIPPED: the tests on Python 3.8, for there is no Python 3.8 on this machine'; \
	fi

clean: ## Remove environments, caches and build products; runs and checkpoints stay
	rm -rf "$(VENV)" "$(VENV38)" build dist dnne.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
