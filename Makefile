# Everything a working copy needs: `make help` lists it. Runs with GNU make 3.81 (macOS) and later, and a POSIX shell.
# Set-up is remembered by stamp files in .venv and done anew when a requirement file changes.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help demo test lint format bench lock clean distclean FORCE

VENV := .venv
PY := $(VENV)/bin/python
LOCK_VENV := .venv-lock
PYTHONS := python3 python3.14 python3.13 python3.12 python3.11 python
PIP := -m pip --disable-pip-version-check --quiet
ARGS ?=
DATA ?=
UPGRADE ?=

# Settings of the caller's that would lead Python or pip elsewhere than into .venv.
unexport PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV PIP_NO_DEPS

# One Python that will do, or one sentence. `$(1)`: which to try; `$(2)`: the test that it must pass.
find_python = found=; some=; \
	for python in $(1); do \
		"$$python" -c 'import sys; sys.exit(not ($(2)))' >/dev/null 2>&1 || continue; \
		some=$$python; \
		"$$python" -c 'import ensurepip, venv' >/dev/null 2>&1 && { found=$$python; break; }; \
	done; \
	if [ -z "$$some" ]; then \
		echo "freshwax needs Python 3.11 or later, and none of these is one: $(strip $(1)). Install one, or name yours: make PYTHON=/path/to/python3" >&2; exit 1; \
	elif [ -z "$$found" ]; then \
		echo "$$some cannot make virtual environments: install its venv module (on Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; \
	fi

# A .venv that this Makefile set up in another folder, or whose Python is gone, is made anew.
stale := $(shell [ -f $(VENV)/.made ] && { [ "`cat $(VENV)/.made`" = "`pwd -P`" ] && $(PY) -c '' 2>/dev/null || echo yes; })

help: ## list what make can do
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.run $(VENV)/.freshwax ## set up, then run the main job over a world of invented artists (ARGS="--keep DIR")
	@$(VENV)/bin/freshwax demo $(ARGS)

test: $(VENV)/.dev $(VENV)/.freshwax ## set up, then run the tests (ARGS="-k word" for some of them)
	@HYPOTHESIS_PROFILE=$${HYPOTHESIS_PROFILE:-ci} $(PY) -m pytest $(ARGS)

lint: $(VENV)/.dev $(VENV)/.freshwax ## set up, then check style, types and the layers
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports --no-logo

format: $(VENV)/.dev ## mend what ruff can mend
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

bench: $(VENV)/.dev $(VENV)/.freshwax ## run the benchmarks (DATA=folder for the one that needs real histories)
	@for script in benchmarks/[a-z]*.py; do \
		[ -f "$$script" ] || { echo "There are no benchmarks yet."; exit 0; }; \
		if grep -q -e '"--data"' "$$script"; then \
			[ -n "$(DATA)" ] || { echo "$$script: left out, it needs DATA=folder"; continue; }; \
			echo "$$script"; $(PY) "$$script" --data "$(DATA)" || exit 1; \
		else \
			echo "$$script"; $(PY) "$$script" || exit 1; \
		fi; \
	done

lock: $(LOCK_VENV)/.ready ## write requirements/*.txt from pyproject.toml and requirements/*.in (UPGRADE=1 for newer versions)
	@for name in lock build run dev; do \
		case $$name in \
			run) from="pyproject.toml" ;; \
			dev) from="-c requirements/run.txt -c requirements/build.txt pyproject.toml requirements/dev.in" ;; \
			*) from="requirements/$$name.in" ;; \
		esac; \
		echo "Locking requirements/$$name.txt."; \
		CUSTOM_COMPILE_COMMAND="make lock" $(LOCK_VENV)/bin/python -m piptools compile --quiet --generate-hashes \
			--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --strip-extras --allow-unsafe \
			$(if $(UPGRADE),--upgrade) --output-file requirements/$$name.txt $$from || exit 1; \
	done

clean: ## remove caches and built files
	@rm -rf .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache dist build
	@find . -name ".venv*" -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## remove the virtual environments too
	@rm -rf $(VENV) $(LOCK_VENV)

# --- set-up -----------------------------------------------------------------------------------------------------------

# A .venv that was there before is taken as it is, if its Python will do.
$(VENV)/.made: $(if $(stale),FORCE)
	@$(if $(stale),rm -rf $(VENV);) \
	if ! $(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
		$(call find_python,$(PYTHON) $(PYTHONS),sys.version_info >= (3, 11)); \
		echo "Making $(VENV) with `$$found --version`."; \
		"$$found" -m venv --clear $(VENV) || exit 1; \
	fi; \
	pwd -P > $@

$(VENV)/.run: $(VENV)/.made requirements/run.txt requirements/build.txt
	@echo "Installing what freshwax runs on; each file is checked against its hash."
	@$(PY) $(PIP) install --require-hashes -r requirements/run.txt -r requirements/build.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.made requirements/dev.txt
	@echo "Installing what freshwax runs on and what tests it; each file is checked against its hash."
	@$(PY) $(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@ $(VENV)/.run

# From here nothing is fetched: the build system stands in .venv already, locked like the rest.
$(VENV)/.freshwax: $(VENV)/.made pyproject.toml
	@$(PY) $(PIP) install --no-index --no-deps --no-build-isolation --editable .
	@$(PY) -m compileall -q src # as any other installation does
	@touch $@

# The lowest Python that freshwax runs on needs whatever a later one needs, so it is the one that locks.
$(LOCK_VENV)/.ready: requirements/lock.txt
	@$(call find_python,$(PYTHON) python3.11 python3,sys.version_info[:2] == (3, 11)); \
	echo "Making $(LOCK_VENV) with `$$found --version`."; \
	"$$found" -m venv $(LOCK_VENV) && $(LOCK_VENV)/bin/python $(PIP) install --require-hashes -r requirements/lock.txt
	@touch $@
