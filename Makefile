# make demo    train a baseline and RAN on the built-in data, and compare them
# make test    run the tests; one room: make test ARGS=tests/models
# make check   format, lint and types, in seconds
# Everything lives in .venv. A second run finds it there.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
WORKERS ?= 2
ARGS ?=

.PHONY: demo test test-all check format wheel clean
demo: $(VENV)/.runtime
	$(BIN)/python -m mmrev demo

test: $(VENV)/.test
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow" --durations=12 $(ARGS)

test-all: $(VENV)/.test
	$(BIN)/python -m pytest -n $(WORKERS) --durations=40 $(ARGS)

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: $(VENV)/.test
	$(BIN)/python -m build --wheel --no-isolation

# The OpenMMLab packages ask for opencv-python, which needs libGL. So they are installed with --no-deps, and the headless
# build takes its place. pip builds mmcv in an environment of its own. There mmcv sees no torch and leaves out its
# operators, which take minutes to compile. Detectors need them: `make test` compiles them once.
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
