# make run          the window; without a display, the same inspection written as report.html
# make test         lint, types, every test
# make lint         ruff, mypy, who may import whom
# make bench        the figures that ArenaScope promises, as a table
# make board        an emulated 32-bit ARM board to connect to (root; the first time builds it, 8 minutes)
# make screenshots  the pictures of README.md
VENV    ?= .venv
WORKERS ?= 2
PY      := $(VENV)/bin/python
STAMP   := $(shell cat pyproject.toml packaging/constraints.txt | cksum | tr -s ' ' '-')

.PHONY: run test lint bench board screenshots setup clean

run: $(VENV)/.run$(STAMP)
	@$(PY) packaging/system_packages.py window
	@sh packaging/run.sh $(VENV)/bin/arenascope

test: setup lint
	@$(PY) packaging/system_packages.py window test
	$(PY) -m pytest -n $(WORKERS) --dist worksteal

lint: setup
	$(PY) -m ruff check
	$(PY) -m mypy
	$(VENV)/bin/lint-imports --no-cache

bench: setup
	@$(PY) packaging/system_packages.py window
	$(PY) benchmarks/run.py

board: setup
	@$(PY) packaging/system_packages.py board
	$(PY) -m tests.board

screenshots: setup
	@$(PY) packaging/system_packages.py window
	$(PY) packaging/screenshots.py

setup: $(VENV)/.dev$(STAMP)

$(VENV)/.run$(STAMP):
	@sh packaging/setup-venv.sh $(VENV) .
	@touch $@

$(VENV)/.dev$(STAMP):
	@sh packaging/setup-venv.sh $(VENV) '.[dev]'
	@touch $@ $(VENV)/.run$(STAMP)

clean:
	rm -rf $(VENV) report.html test-results .mypy_cache .ruff_cache .pytest_cache .hypothesis
