# Two lines do all the set-up: `make demo` runs the main job, `make test` passes the tests; `make
# test-whole` adds every wrong device of every procedure, and the slow tests: three quarters of an hour.
# PYTHON names the interpreter that makes the virtual environment.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The build backend calls `maturin` by name.
export PATH := $(CURDIR)/$(BIN):$(PATH)
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
SOURCES := $(shell find contracts crates python rigs hil Cargo.toml Cargo.lock pyproject.toml constraints.txt README.md \
	-type f -not -name '*.so' -not -path '*/__pycache__/*' -not -path '*/.*')

.PHONY: demo test test-whole docs clean

demo: $(VENV)/.installed
	$(BIN)/gridrig demo

test: $(VENV)/.test-tools
	tests/run $(BIN)

test-whole: $(VENV)/.test-tools
	tests/run $(BIN) --whole

# Every version, the build tool's too, comes from constraints.txt, and Cargo.lock for Rust.
$(BIN)/maturin: constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install -c constraints.txt maturin
	touch $@

$(VENV)/.installed: $(BIN)/maturin $(SOURCES)
	$(PIP) install --no-build-isolation -c constraints.txt .
	touch $@

$(VENV)/.test-tools: $(BIN)/maturin $(SOURCES) tests/debian-packages tests/npm-packages \
	tests/chain/npm/package-lock.json tests/devices/npm/package-lock.json
	$(PIP) install --no-build-isolation -c constraints.txt '.[chain,dask,weather,test]'
	tests/debian-packages
	tests/npm-packages
	touch $(VENV)/.installed $@

docs: $(VENV)/.test-tools
	$(BIN)/python -m sphinx -q -W -b html docs dist/site

clean:
	rm -rf $(VENV) target dist
