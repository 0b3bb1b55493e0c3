# Each target is a line; what it does is in scripts/. `make help` lists them.
PYTHON ?= $(firstword $(shell command -v python3.11) $(shell command -v python3) python3)
RUN := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev system demo test check bench corpus equivalence-check clone-check lie-check faults long soak compile docs examples format lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-17s %s\n", $$1, $$2}' Makefile

setup: ## the product's environment and the local chain
	@$(PYTHON) scripts/setup.py product

setup-dev: ## and what tests need; Brownie's, the security tools', OctoPrint's and rival statistics' environments apart
	@$(PYTHON) scripts/setup.py dev brownie security octoprint statistics

system: ## what some tests need: Debian packages (root, or the line that installs them), Kubo, geth, a reader of logs
	@scripts/system.sh
	@$(PYTHON) scripts/go_programs.py

demo: setup ## the main job, end to end (KEEP=1 leaves the nodes running)
	@$(RUN) scripts/demo

test: setup-dev ## every test that this machine can run
	@$(RUN) scripts/test.py

check: setup-dev ## format, lint, types, layers, docs, contracts, equal bytecode
	@$(RUN) scripts/check.py

bench: setup-dev ## the benchmark
	@$(RUN) scripts/bench

corpus: setup-dev ## bundles with one broken thing each, for every verifier
	@$(RUN) scripts/corpus.py

equivalence-check: setup-dev ## simulated error rates of the equivalence engine (RUNS=)
	@$(RUN) scripts/equivalence_check.py

clone-check: setup-dev ## recall and precision of the notes on copied labels (LABELS= SEED=)
	@$(RUN) scripts/clone_check.py

lie-check: setup-dev ## what both verifiers make of a server that lies (LIES= SEED=)
	@$(RUN) scripts/lie_check.py

faults: setup-dev ## the seeded fault harness (SEED=, CASES=)
	@$(RUN) scripts/run_faults.py

long: setup-dev ## the long volumes of it; goes on where it ended (HOURS=)
	@VOLUME=long $(RUN) scripts/run_faults.py
	@$(RUN) scripts/lie_check.py

soak: setup-dev ## a node at work for hours, its memory and database measured (COUNT= HOURS=)
	@$(RUN) scripts/soak

compile: setup-dev ## the contracts, into the files that ship
	@$(RUN) scripts/compile.py

docs: setup-dev ## the pages that follow from code
	@$(RUN) scripts/write_docs.py

examples: ## the example design and its G-code, made anew
	@$(PYTHON) scripts/setup.py dev && $(RUN) scripts/make_examples.py

format: setup-dev ## Python and Solidity
	@$(RUN) scripts/check.py --format

lock: setup-dev ## the pinned packages, at their newest versions
	@$(RUN) scripts/lock.py

clean: ## what was built; the environments below build/ too
	@rm -rf build dist
