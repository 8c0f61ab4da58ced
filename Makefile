# make demo: train a baseline and RAN on the built-in data, compare them.   make test: the tests.
# Everything lives in .venv; a second run finds it there.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
WORKERS ?= 2

.PHONY: demo test test-all lint wheel clean
demo: $(VENV)/.runtime
	$(BIN)/python -m mmrev demo

test: $(VENV)/.test
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow"

test-all: $(VENV)/.test
	$(BIN)/python -m pytest -n $(WORKERS)

lint: $(VENV)/.test
	$(BIN)/ruff check .

wheel: $(VENV)/.test
	$(BIN)/python -m build --wheel --no-isolation

# The OpenMMLab packages ask for opencv-python, which needs libGL: --no-deps, and the headless build instead.
# mmcv must be built in pip's own environment, where it sees no torch: beside torch it compiles its operators, for minutes.
# Detectors need these; `make test` has them compiled, once.
$(VENV)/.runtime: requirements/third_party.txt requirements/openmmlab.txt setup.py
	$(PYTHON) -m venv $(VENV)
	$(PIP) install -r requirements/third_party.txt
	$(PIP) install --no-deps --no-cache-dir -r requirements/openmmlab.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.test: $(VENV)/.runtime requirements/test.txt requirements/test_openmmlab.txt
	$(PIP) install -r requirements/test.txt
	$(PIP) install --no-deps -r requirements/test_openmmlab.txt
	.ci/compiled_mmcv $(BIN)/python
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info demo_output
