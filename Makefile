# Everything a contributor runs. Each target makes what it needs first: Python 3.10 or newer and make are enough.
#
#   make demo        the guide's chain, traced, as a session of nested logs; Ctrl-C ends it
#   make test        the tests that need nothing but Python
#   make test-rest   the tests that need more: vendors' SDKs, databases, brokers, a browser
#   make test-all    both
#   make scorecard   how much of what captured spans hold arrives in Humanloop, by instrumentation
#   make docs        the pages that are made of the program's tables
#   make screenshots the README's pictures of the viewer, taken anew
#   make test-installed  the tests of what is released: of the source distribution, on the wheel that it builds
#   make native      the compiled modules, in place, where there is a C compiler; all of it works without them
#   make test-compiled   the tests on a wheel with the compiled modules
#   make test-lowest the tests of what an application carries, with the lowest versions that are allowed
#   make test-protobuf  the tests of OTLP in protobuf, with protobuf 5, 6 and 7
#   make fuzz        bytes that nobody wrote, at every door they could come in by (ARGS="v4 --seconds 600": one, longer)
#   make properties  what holds for any input and order, held to examples that no run has tried yet
#   make audit       what is installed, held against the known vulnerabilities
#   make check       lint, types, import contracts, tests
#   make bench       what this costs beside its peers: benchmarks/RESULTS.md (ARGS=--quick: only that it runs,
#                    ARGS="--only exporters": a part of it, ARGS=--hour: a bridge's memory over an hour)
#   make fix         format, and mend what ruff can
#   make clean       remove what these targets made
#
# PYTHON names the interpreter the environment is made of, VENV where it is made.

VENV ?= .venv
PYTHON ?=
BIN := $(VENV)/bin
UV := $(BIN)/python -m uv pip install --quiet --python $(BIN)/python

OLDEST := import sys; sys.exit(sys.version_info < (3, 10))
TIERS := sdk or instrumentation or browser or postgres or kafka or collector or slow

.PHONY: help demo test scorecard docs screenshots test-rest test-all test-installed test-compiled test-lowest \
	test-protobuf fuzz native properties audit lint types contracts check bench fix clean
.DELETE_ON_ERROR:

help:
	@sed -n 's/^#   //p' Makefile

demo: $(VENV)/.ready-demo
	@$(BIN)/otel-humanloop demo $(ARGS)

# What Python makes of a source file is kept, and in the environment, whether or not it may be kept beside that file: else
# each process of a run reads and compiles all tests anew, which took a tenth of it. (Not where wheels are installed
# again and again: their files are all of one moment, by which a changed one is not told from what was kept of it.)
test: export PYTHONDONTWRITEBYTECODE :=
test: export PYTHONPYCACHEPREFIX := $(abspath $(VENV))/bytecode
test: $(VENV)/.ready-test
	$(BIN)/python -m pytest -rsfE --numprocesses 4 --dist worksteal -m "not ($(TIERS))" $(ARGS)

# pytest ends with 5 where no test carries a mark of these tiers.
test-rest: $(VENV)/.ready-rest
	$(BIN)/python -m pytest -rsfE -m "$(TIERS)" $(ARGS) || test $$? -eq 5

test-all: $(VENV)/.ready-rest
	$(BIN)/python -m pytest -rsfE $(ARGS)

# The Chromium is Debian's, or the one CHROMIUM names.
screenshots: $(VENV)/.ready-rest
	@$(BIN)/python docs/screenshots/make.py

# What is released is what is tested, with no line of the checkout in sight: the source distribution builds the wheel
# that the checkout builds, and carries the tests that are run on it. Compiled, it is a wheel for one Python.
INSTALLED := build/installed
test-compiled: INSTALLED := build/compiled
test-compiled: export HATCH_BUILD_HOOKS_ENABLE := 1
test-installed: SAME := cmp build/installed/*.whl build/installed/direct/*.whl
test-compiled: SAME := cd build/compiled && venv/bin/python -c \
	'import sys; from otel_humanloop import native; sys.exit(native.in_use() != list(native.MODULES))'

test-installed test-compiled: $(VENV)/.ready-uv
	rm -rf $(INSTALLED)
	mkdir -p $(INSTALLED)/room
	$(BIN)/python -m uv venv --quiet --python $(or $(PYTHON),$(BIN)/python) $(INSTALLED)/venv
	$(BIN)/python -m uv build --quiet --python $(INSTALLED)/venv/bin/python --out-dir $(INSTALLED) .
	$(BIN)/python -m uv build --quiet --python $(INSTALLED)/venv/bin/python --wheel --out-dir $(INSTALLED)/direct .
	tar xzf $(INSTALLED)/*.tar.gz --strip-components 1 -C $(INSTALLED)/room
	rm -r $(INSTALLED)/room/otel_humanloop
	$(BIN)/python -m uv pip install --quiet --python $(INSTALLED)/venv/bin/python \
		"$$(echo $(INSTALLED)/*.whl)[all]" --group $(INSTALLED)/room/pyproject.toml:test
	$(SAME)
	cd $(INSTALLED)/room && ../venv/bin/python -m pytest -rsfE --numprocesses 4 --dist worksteal -m "not ($(TIERS))" $(ARGS)

native: $(VENV)/.ready-test
	@$(UV) --group native
	$(BIN)/python hatch_build.py

# What an application carries beside its own: the rest is chosen by whoever runs it. The lowest Starlette's test client
# uses names of anyio that the newest anyio warns of, so such warnings are no errors here.
LOWEST := build/venv-lowest
CARRIED := tests/test_pipeline.py tests/test_application.py tests/test_settings.py tests/test_metrics.py \
	tests/delivery tests/logs tests/privacy tests/reading/test_facts.py tests/spans

test-lowest: $(VENV)/.ready-uv
	$(BIN)/python -m uv venv --quiet --clear --python $(or $(PYTHON),$(BIN)/python) $(LOWEST)
	$(BIN)/python -m uv pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct \
		'.[openai,bridge,server]' --group test
	$(LOWEST)/bin/python -m pytest -W ignore::DeprecationWarning -m "not ($(TIERS))" $(CARRIED) $(ARGS)

# What is compiled in this checkout needs no protobuf.
test-protobuf: export OTEL_HUMANLOOP_PURE_PYTHON := 1
test-protobuf: $(VENV)/.ready-uv
	$(BIN)/python -m uv venv --quiet --clear --python $(BIN)/python build/venv-protobuf
	for version in 5 6 7; do \
		$(BIN)/python -m uv pip install --quiet --python build/venv-protobuf/bin/python \
			"protobuf==$$version.*" '.[openai,bridge,server]' --group test && \
		build/venv-protobuf/bin/python -m pytest -W ignore::DeprecationWarning tests/spans $(ARGS) || exit 1; \
	done

# Where atheris cannot be had, on other systems than Linux and on the newest Python, the doors are tried with mutants.
fuzz: $(VENV)/.ready-test
	-@$(UV) --group fuzz
	PYTHONPATH=tests $(BIN)/python -m fuzz $(ARGS)

properties: $(VENV)/.ready-test
	$(BIN)/python -m pytest -rsfE --hypothesis-profile search --numprocesses 4 --dist worksteal \
		-m "hypothesis and not ($(TIERS))" $(ARGS)

audit: $(VENV)/.ready-test
	$(BIN)/python -m uv tool run pip-audit --path $$($(BIN)/python -c 'import site; print(site.getsitepackages()[0])') \
		--skip-editable --progress-spinner off

lint: $(VENV)/.ready-lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.ready-lint
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/pyright --pythonpath $(BIN)/python tests/typing/api.py
	$(BIN)/mypy
	$(BIN)/mypy --strict tests/typing/api.py

contracts: $(VENV)/.ready-lint
	$(BIN)/lint-imports

scorecard: $(VENV)/.ready-test
	@PYTHONPATH=tests $(BIN)/python -m scorecard

docs: $(VENV)/.ready-test
	@$(BIN)/python docs/make.py

check: lint types contracts test

bench: $(VENV)/.ready-test
	$(BIN)/python -m benchmarks $(ARGS)

fix: $(VENV)/.ready-lint
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:
	rm -rf $(VENV) build dist .pytest_cache .hypothesis .ruff_cache .mypy_cache .import_linter_cache
	rm -f otel_humanloop/native/*.so
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment. A stamp says what it holds; it is brought up to date when pyproject.toml changes.

$(VENV)/.ready-demo: pyproject.toml | $(VENV)/.ready-uv
	@echo "installing otel-humanloop with what the demo needs"
	@$(UV) --editable '.[openai,server,terminal]'
	@touch $@

$(VENV)/.ready-test: pyproject.toml | $(VENV)/.ready-uv
	@echo "installing otel-humanloop with what its tests need"
	@$(UV) --editable '.[all]' --group test
	@touch $@

$(VENV)/.ready-rest: pyproject.toml $(VENV)/.ready-test
	@$(UV) --group beside --group browser
	@touch $@

$(VENV)/.ready-lint: pyproject.toml $(VENV)/.ready-test
	@$(UV) --group lint
	@touch $@

$(VENV)/.ready-uv: $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.5.13'
	@touch $@

$(BIN)/python:
	@for python in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python3.10); do \
		if "$$python" -c '$(OLDEST)' >/dev/null 2>&1; then found="$$python"; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "error: Python 3.10 or newer was not found as $(or $(PYTHON),python3)" >&2; \
		echo "hint: make PYTHON=/path/to/python" >&2; \
		exit 1; \
	fi; \
	echo "making $(VENV) with $$("$$found" --version)"; \
	if ! "$$found" -m venv --clear $(VENV); then \
		rm -rf $(VENV); \
		echo "error: $$found cannot make a virtual environment" >&2; \
		echo "hint: its venv module is a package of its own on some systems: apt install python3-venv" >&2; \
		exit 1; \
	fi
