# make run          the window; without a display, the same inspection written as report.html
# make test         lint, types, every test; make test BOARD=0 leaves out those on emulated boards
# make lint         ruff, mypy, who may import whom
# make bench        the figures that ArenaScope promises, as a table
# make board        an emulated ARM board to connect to: make board [ARCH=armhf|arm64|armhf-on-arm64] [BARE=1]
#                   [PORT=2222] [MEMORY=1024] [CLOCK=2027-06-01T00:00:00]
# make boards       the images of those boards (root; 6 minutes, once; make test does it as well)
# make runtimes     the runtimes that plans are held against (a minute, once; make test does it as well)
# make screenshots  the pictures of README.md
VENV    ?= .venv
WORKERS ?= 2
BOARD   ?= 1
ARCH    ?= armhf
PY      := $(VENV)/bin/python
STAMP   := $(shell cat pyproject.toml packaging/constraints.txt | cksum | tr -s ' ' '-')

.PHONY: run test lint bench board boards runtimes screenshots setup clean

run: $(VENV)/.run$(STAMP)
	@$(PY) packaging/system_packages.py window
	@sh packaging/run.sh $(VENV)/bin/arenascope

# The boards come last: --dist loadscope keeps the tests of a board on one worker.
test: setup lint runtimes
ifeq ($(BOARD),0)
	@$(PY) packaging/system_packages.py window test
	$(PY) -m pytest -n $(WORKERS) --dist worksteal -m "not board"
	@echo "BOARD=0: the tests on emulated boards were left out."
else
	@$(PY) packaging/system_packages.py window test board
	$(PY) -m pytest -n $(WORKERS) --dist worksteal -m "not board"
	$(PY) -m tests.board.build
	$(PY) -m pytest -n $(WORKERS) --dist loadscope -m board tests/board
endif

lint: setup
	$(PY) -m ruff check
	$(PY) -m mypy
	$(VENV)/bin/lint-imports --no-cache

bench: setup
	@$(PY) packaging/system_packages.py window
	$(PY) benchmarks/run.py

board: setup
	@$(PY) packaging/system_packages.py board
	@$(PY) -m tests.board --arch $(ARCH) $(if $(BARE),--bare) $(if $(PORT),--port $(PORT)) \
		$(if $(MEMORY),--memory $(MEMORY)) $(if $(CLOCK),--clock $(CLOCK))

boards: setup
	@$(PY) packaging/system_packages.py board
	@$(PY) -m tests.board.build

# What cannot be made here (a Python that is missing) is named; the tests name it again.
runtimes: setup
	-@$(PY) -m tests.support.pool

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
