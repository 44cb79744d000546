# Two lines do all the set-up: `make demo` runs the main job, `make test` passes the tests.
# PYTHON names the interpreter that makes the virtual environment.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(shell find crates python rigs hil Cargo.toml Cargo.lock pyproject.toml constraints.txt -type f -not -name '*.so' -not -path '*/__pycache__/*')

.PHONY: demo test clean

demo: $(VENV)/.installed
	$(BIN)/gridrig demo

test: $(VENV)/.test-tools
	tests/run $(BIN)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip

# Versions come from constraints.txt; the build tool, maturin, from pyproject.toml.
$(VENV)/.installed: $(BIN)/python $(SOURCES)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt .
	touch $@

$(VENV)/.test-tools: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt '.[test]'
	tests/debian-packages
	touch $@

clean:
	rm -rf $(VENV) target dist
