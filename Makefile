# All tasks, from a fresh clone; only python3 (3.11 to 3.13) and make are needed.
#   make run     fill the bundled examples        make test    run every check
#   make check   lint, types, faster unit tests
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
CORES ?= 4
WORKERS ?= 3
VENV := .venv
BIN := $(VENV)/bin
KERAS_VENV := .venv-keras
ATHERIS := .atheris
AXE := .axe
SECONDS ?= 600
SBOM_VENV := .venv-sbom
MULTIQC_VENV := .venv-multiqc
SEED ?= 0
TRIALS ?= 50

# Files to check. Paths that do not exist (yet) are left out, since the tools would fail on them.
PYTHON_CODE := $(wildcard workflow/scripts tests resources docs)
SMK_CODE := $(wildcard Snakefile workflow)
SHIPPED_CODE := workflow/scripts resources

# Builds the virtual environment $(1) from the requirements file $(2). A partial one is never kept:
# the stamp is written last, and without a stamp the environment is built anew.
define build_venv
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
		echo "Lacuna needs Python 3.11 to 3.13; '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." \
			"Name another one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' cannot build virtual environments (ensurepip or venv is missing)." \
			"On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Building $(1) from $(2) (once; rebuilt when the pins change) ..."
	@rm -rf $(1)
	@$(PYTHON) -m venv $(1)
	@$(1)/bin/python -m pip install --quiet --disable-pip-version-check -r $(2)
	@touch $(1)/.stamp
endef

# Strictly: a link that leads nowhere is an error, but not with --quiet. The variable silences an advertisement.
BUILD_PAGES = @NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --config-file docs/tools/mkdocs.yml

LINTERS := lint-types lint-security lint-style lint-workflow lint-licences lint-pages
.PHONY: $(LINTERS) help setup run check test lint format docs pictures faults fuzz numbers sbom multiqc benchmark-seed benchmark-train benchmark-masses benchmark-public clean

help:  ## Show this list.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 18

setup: $(VENV)/.stamp  ## Build .venv (run and test do this if needed).

$(VENV)/.stamp: requirements.txt
	$(call build_venv,$(VENV),$<)

run: setup  ## Fill the samples of config.yaml (the bundled examples). CORES=4
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/snakemake --cores $(CORES)

check: lint  ## Run the checks and the faster unit tests, in under two minutes.
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest tests/unit -m "not slow"

# A test file stays on one worker, since its tests share runs of the workflow. Whole runs come first,
# since they take longest. Waiting threads must not spin: the other worker needs the core.
test: lint $(AXE)/.stamp  ## Run every check and every test, in several processes. WORKERS=3
	@PATH="$(CURDIR)/$(BIN):$$PATH" OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest \
		--numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

# The longest comes first; the output of each is printed as a whole.
lint: setup  ## Run the linters, the format checks and the type checker, in several processes. WORKERS=3
	@$(MAKE) --no-print-directory --jobs $(WORKERS) --output-sync $(LINTERS)

lint-types:
	$(BIN)/mypy

lint-style:
	$(BIN)/ruff check $(PYTHON_CODE)
	$(BIN)/ruff format --check $(PYTHON_CODE)
	$(BIN)/snakefmt --check $(SMK_CODE)
	@PYTHONPATH=workflow/scripts $(BIN)/lint-imports --no-cache

lint-security:
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml $(SHIPPED_CODE)

lint-licences:
	$(BIN)/pip-licenses --with-system >/dev/null
	@PYTHONPATH=workflow/scripts $(BIN)/python -m lacuna.training.licences \
		resources/pretrain/open.yaml resources/weights/open

lint-workflow:
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/snakemake --lint

lint-pages:
	$(BUILD_PAGES)

format: setup  ## Format the Python and Snakemake files in place.
	$(BIN)/ruff check --fix-only --quiet $(PYTHON_CODE)
	$(BIN)/ruff format $(PYTHON_CODE)
	$(BIN)/snakefmt $(SMK_CODE)

faults: setup  ## Break runs in every known way and check that none is lost. SEED=0 TRIALS=50
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tests/faults/run.py --seed $(SEED) --trials $(TRIALS)

$(SBOM_VENV)/.stamp: envs/sbom.txt
	$(call build_venv,$(SBOM_VENV),$<)

sbom: setup $(SBOM_VENV)/.stamp  ## Write sbom.json: every package in .venv with its licence (CycloneDX).
	@$(SBOM_VENV)/bin/cyclonedx-py environment --output-reproducible --short-PURLs \
		--pyproject pyproject.toml --output-file sbom.json $(VENV)
	@echo "sbom.json is written."

$(MULTIQC_VENV)/.stamp: envs/multiqc.txt
	$(call build_venv,$(MULTIQC_VENV),$<)

multiqc: $(MULTIQC_VENV)/.stamp  ## Build .venv-multiqc (1.1 GB); a test then reads lacuna_mqc.json by MultiQC.

# Keras is not part of .venv: only this benchmark needs it.
$(KERAS_VENV)/.stamp: tests/benchmarks/requirements-keras.txt
	$(call build_venv,$(KERAS_VENV),$<)

benchmark-seed: setup $(KERAS_VENV)/.stamp  ## Time the tutorial model against the same network in Keras 3.
	$(BIN)/python tests/benchmarks/seed_vs_keras.py --keras-python $(KERAS_VENV)/bin/python

benchmark-train: setup  ## Time training against its matrix products alone.
	$(BIN)/python tests/benchmarks/training_speed.py

$(AXE)/.stamp: tests/browser/requirements-axe.txt | setup
	@rm -rf $(AXE) && mkdir $(AXE)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $(AXE) -r $< \
		|| echo "axe-core cannot be installed here: its tests are left out." >&2
	@touch $@

# Atheris has wheels only for Linux on x86-64; elsewhere only the grammars are used.
$(ATHERIS)/.stamp: tests/fuzz/requirements-atheris.txt | setup
	@rm -rf $(ATHERIS) && mkdir $(ATHERIS)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
		--target $(ATHERIS) -r $< || echo "atheris cannot be installed here." >&2
	@touch $@

fuzz: setup $(ATHERIS)/.stamp  ## Fuzz the readers and whole runs; fails at a finding. SECONDS=600
	@PYTHONPATH="$(ATHERIS)" $(BIN)/python tests/fuzz/fuzz_runner.py --seconds $(SECONDS)

numbers: setup  ## Count the differences by precision, processor and threads. BENCH=folder with scaffolds.fasta
	@$(BIN)/python tests/benchmarks/numeric_differences.py $(or $(BENCH),$(error numbers: say which \
		scaffolds to fill: make numbers BENCH=FOLDER, a folder with scaffolds.fasta))

benchmark-masses: setup  ## Fill gaps with their masses and fragment masses. BENCH=a folder with truth.jsonl
	@$(BIN)/python tests/benchmarks/bench_masses.py $(or $(BENCH),$(error benchmark-masses: say which \
		scaffolds to fill: make benchmark-masses BENCH=FOLDER)) results/benchmark-masses/known
	@$(BIN)/python tests/benchmarks/bench_masses.py $(BENCH) results/benchmark-masses/hidden \
		--hide-lengths --shares 0
	@$(BIN)/python tests/benchmarks/bench_masses.py $(BENCH) results/benchmark-masses/intact \
		--intact 1 --shares 0

benchmark-public: setup  ## Accuracy of both sets of weights on public therapeutic antibodies.
	@$(BIN)/python tests/benchmarks/public_accuracy.py results/benchmark-public

docs: run  ## Write the reference from the schemas and a run, and build the pages in site/.
	@PYTHONPATH=workflow/scripts $(BIN)/python docs/tools/reference.py
	$(BUILD_PAGES)

# The report in a frame, since a screenshot of a page by itself begins at its top.
pictures: run  ## Draw the pictures in README.md and docs/; that of the report by chromium.
	@PATH="$(CURDIR)/$(BIN):$$PATH" PYTHONPATH=workflow/scripts $(BIN)/python docs/tools/pictures.py
	@page=$$(mktemp --suffix=.html); trap 'rm -f $$page' EXIT; \
	echo '<body style="margin:0"><iframe src="file://$(CURDIR)/results/report.html#sample-2"' \
		'style="width:1100px;height:1240px;border:0"></iframe>' > $$page; \
	chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1100,1240 \
		--virtual-time-budget=10000 --blink-settings=preferredColorScheme=1 \
		--screenshot=docs/pictures/report.png file://$$page

clean:  ## Remove results and caches; the virtual environments stay.
	rm -rf results site fuzz-findings .snakemake .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find workflow tests resources -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
