# make demo          train a baseline and RAN on the built-in data, and compare them
# make test          run the tests; one room: make test ARGS=tests/models
# make test-plain    run what needs no OpenMMLab, with timm and transformers, in .venv-plain
# make test-stacks   run all tests, the slow ones too, on each stack
# make evidence      check the papers' claims at a small size: DATA=folder WEIGHTS=folder (docs/results.md)
# make gpu           all that needs a GPU, in slices of less than ten minutes: OUT=folder DATA=folder WEIGHTS=folder
# make check         format, lint and types, in seconds
# make site          the documentation as a site: site/index.html
# make release-check build, check and install the wheel and the source archive in empty environments: PYTHONS='python3.12 ...'
# STACK=onedl, the default, is the maintained continuation of the OpenMMLab packages, in .venv. STACK=upstream is
# open-mmlab's own packages, in .venv-upstream. A second run finds the environment there.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
STACK ?= onedl
VENV := $(if $(filter onedl,$(STACK)),.venv,.venv-$(STACK))
PINS := requirements/$(STACK)
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# the file that holds mmcv's pin
MMCV := $(firstword $(wildcard $(PINS)/mmcv.txt) $(PINS)/openmmlab.txt)
WORKERS ?= 2
ARGS ?=
# the results of make gpu
OUT ?= gpu_results

PYTHONS ?= $(PYTHON)

.PHONY: demo evidence gpu test test-all test-plain test-stacks check format wheel release-check site clean
demo: $(VENV)/.runtime
	$(BIN)/python -m mmrev demo

evidence: $(VENV)/.runtime
	$(BIN)/python -m evidence --data-root "$(DATA)" --weights "$(WEIGHTS)" $(ARGS)

gpu: $(VENV)/.test
	$(BIN)/python -m evidence.gpu --out "$(OUT)" $(if $(DATA),--data-root "$(DATA)") \
		$(if $(WEIGHTS),--weights "$(WEIGHTS)") $(ARGS)

test: $(VENV)/.test
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow" --durations=12 $(ARGS)

test-all: $(VENV)/.test
	$(BIN)/python -m pytest -n $(WORKERS) --durations=40 $(ARGS)

test-plain: .venv-plain/.ready
	.venv-plain/bin/python -m pytest tests/test_plain_torch.py tests/models/surgery/test_libraries.py \
		tests/models/surgery/test_gate_sites.py tests/examples $(ARGS)

.venv-plain/.ready: requirements/plain.txt setup.py
	$(PYTHON) -m venv .venv-plain
	echo '*' > .venv-plain/.gitignore
	.venv-plain/bin/python -m pip --disable-pip-version-check install -r requirements/plain.txt
	.venv-plain/bin/python -m pip --disable-pip-version-check install --no-deps --no-build-isolation -e .
	touch $@

test-stacks:
	$(MAKE) test-all STACK=onedl
	$(MAKE) test-all STACK=upstream

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: $(VENV)/.test
	$(BIN)/python -m build --wheel --no-isolation

release-check:
	.ci/release_check $(PYTHONS)

site: .venv-site/.ready
	NO_MKDOCS_2_WARNING=1 .venv-site/bin/mkdocs build --strict

.venv-site/.ready: requirements/site.txt
	$(PYTHON) -m venv .venv-site
	echo '*' > .venv-site/.gitignore
	.venv-site/bin/python -m pip --disable-pip-version-check install -r requirements/site.txt
	touch $@

# The OpenMMLab packages ask for opencv-python, which needs libGL. So they are installed with --no-deps, and the headless
# build takes its place. pip builds onedl-mmcv in an environment of its own. There mmcv sees no torch and leaves out its
# operators, which take minutes to compile. Detectors need them: `make test` compiles them once. All of open-mmlab's
# mmseg needs them: its mmcv has a file of its own, and is compiled at once.
$(VENV)/.runtime: requirements/third_party.txt $(PINS)/torch.txt $(PINS)/openmmlab.txt $(MMCV) setup.py
	@$(PYTHON) -c "import sys; '$(STACK)' == 'upstream' and sys.version_info[:2] not in ((3, 10), (3, 11)) and \
	  sys.exit('FAILED: torch 2.1 has builds for Python 3.10 and 3.11 alone: make ... STACK=upstream PYTHON=python3.11')"
	$(PYTHON) -m venv $(VENV)
	echo '*' > $(VENV)/.gitignore
	$(PIP) install pip==26.3
	$(PIP) install -r $(PINS)/torch.txt
	$(PIP) install --no-deps --no-cache-dir -r $(PINS)/openmmlab.txt
	$(if $(filter %/mmcv.txt,$(MMCV)),.ci/compiled_mmcv $(BIN)/python $(MMCV))
	$(PIP) install --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.test: $(VENV)/.runtime requirements/test.txt $(PINS)/test.txt $(PINS)/test_openmmlab.txt requirements/web.txt \
    requirements/gradio.txt
	$(PIP) install -r $(PINS)/test.txt -r requirements/web.txt
	$(PIP) install --no-deps -r requirements/gradio.txt
	$(PIP) install --no-deps -r $(PINS)/test_openmmlab.txt
	.ci/compiled_mmcv $(BIN)/python $(MMCV)
	touch $@

clean:
	rm -rf .venv .venv-upstream .venv-plain .venv-site site build dist *.egg-info demo_output
