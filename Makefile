# Two commands do everything from a bare clone: make demo, make test.
# Python 3.11 or newer and make are all they find; they make .venv themselves.
# On a machine without a GPU: make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name))))
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
TORCH = $(if $(TORCH_INDEX),$(PIP) --index-url $(TORCH_INDEX) torch,true)

.PHONY: demo test docs clean

demo: .venv/ready
	$(BIN)/leukoscope demo -o out/demo

test: .venv/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest -n 2 --dist loadfile

docs: .venv/ready-dev
	$(BIN)/python docs/paste_help.py

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Name another: make PYTHON=..."; exit 1; }
	$(PYTHON) -m venv .venv || { echo "Debian and Ubuntu: apt install python3-venv"; rm -rf .venv; exit 1; }

.venv/ready: pyproject.toml constraints.txt | .venv/bin/python
	$(TORCH)
	$(PIP) -e '.[train]'
	touch $@

.venv/ready-dev: .venv/ready
	$(PIP) -e '.[train,parquet,download,cluster,dev]'
	touch $@

clean:
	rm -rf .venv out
