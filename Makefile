# make run PHOTOS=~/Pictures   find the people in a folder of photos
# make test                    every check there is
# make bench PHOTOS=FOLDER PACK=FOLDER   how fast photos are analysed, as a ratio within one run
# make eval FACES=FOLDER PACK=FOLDER     how well people are recognised; FACES holds a folder of pictures for each person
# make mutants SAMPLE=60       how many small mistakes in the code the fast tests notice, and which they don't

PYTHON ?= python3
PHOTOS ?= ~/Pictures
PACK ?= $(HOME)/.local/share/kith/packs/base
SAMPLE ?= 60
SEED ?= 1
JOBS ?= 1
BIN := .venv/bin

.PHONY: run test bench eval mutants clean

run: .venv/.installed
	@$(BIN)/kith models install auto
	@$(BIN)/kith run '$(PHOTOS:~/%=$(HOME)/%)'

test: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n auto --dist loadfile

bench: .venv/.installed-dev
	$(BIN)/python tests/bench/speed.py '$(PHOTOS:~/%=$(HOME)/%)' '$(PACK)'

eval: .venv/.installed-dev
	@test -n '$(FACES)' || { echo 'Say where the pictures are: make eval FACES=FOLDER, with a folder for each person.'; exit 1; }
	PYTHONPATH=tests/bench $(BIN)/python -m evaluation '$(FACES)' '$(PACK)'

mutants: .venv/.installed-mutants
	$(BIN)/python tests/bench/mutants.py --sample '$(SAMPLE)' --seed '$(SEED)' --jobs '$(JOBS)'

clean:
	rm -rf .venv build dist

.venv/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Kith needs Python 3.11 or newer") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing Kith and what it needs into .venv (once) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/.installed-dev: .venv/.installed
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

.venv/.installed-mutants: .venv/.installed-dev
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[mutants]'
	@touch $@
