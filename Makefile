# make run PHOTOS=~/Pictures   find the people in a folder of photos
# make quick                   the tests that take no minute: for every change
# make test                    every check there is
# make lock                    renew the locked versions: requirements.txt and tests/requirements.txt
# make bench PHOTOS=FOLDER PACK=FOLDER   how fast photos are analysed, as a ratio within one run
# make eval FACES=FOLDER PACK=FOLDER     how well people are recognised; FACES holds a folder of pictures for each person
# make mutants SAMPLE=60       how many small mistakes in the code the fast tests notice, and which they don't

PYTHON ?= python3
PHOTOS ?= ~/Pictures
PACK ?= $(HOME)/.local/share/kith/packs/base
TESTERS ?= $(shell echo $$(( $$(nproc) * 3 / 2 )))  # tests of other programs wait about as long as they work
SAMPLE ?= 60
SEED ?= 1
JOBS ?= 1
BIN := .venv/bin
PIP := $(BIN)/pip --quiet --disable-pip-version-check
UV := $(BIN)/uv --quiet pip
BUILT := pyproject.toml plugins/darktable_lua/translations.py $(wildcard plugins/darktable_lua/kith/locale/*.po)
QUICK := not (slow or hosts or web or crash or shared)

.PHONY: run quick test lock bench eval mutants clean

run: .venv/.installed
	@$(BIN)/kith models install auto
	@$(BIN)/kith run '$(PHOTOS:~/%=$(HOME)/%)'

quick: .venv/.installed-dev
	$(BIN)/pytest -n $(TESTERS) --dist loadfile -m '$(QUICK)' --hypothesis-profile quick

test: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n $(TESTERS) --dist loadfile --no-loadscope-reorder --durations 30

LOCK := $(UV) compile --universal --python-version 3.11 --generate-hashes --upgrade \
  --custom-compile-command "make lock"

lock: .venv/.installed-dev
	$(LOCK) pyproject.toml --extra build --output-file requirements.txt
	$(LOCK) pyproject.toml --extra build --extra dev --output-file tests/requirements.txt
	echo uv | $(LOCK) - --output-file tests/uv.txt

bench: .venv/.installed-dev
	$(BIN)/python tests/bench/speed.py '$(PHOTOS:~/%=$(HOME)/%)' '$(PACK)'

eval: .venv/.installed-dev
	@test -n '$(FACES)' || { echo 'Say where the pictures are: make eval FACES=FOLDER, with a folder for each person.'; exit 1; }
	PYTHONPATH=tests/bench $(BIN)/python -m evaluation '$(FACES)' '$(PACK)'

mutants: .venv/.installed-mutants
	$(BIN)/python tests/bench/mutants.py --sample '$(SAMPLE)' --seed '$(SEED)' --jobs '$(JOBS)'

clean:
	rm -rf .venv build dist

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Kith needs Python 3.11 or newer") if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv .venv
	@echo "Installing Kith and what it needs into .venv (once) ..."

.venv/.installed: requirements.txt $(BUILT) | $(BIN)/python
	@$(PIP) install --require-hashes --requirement requirements.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.installed-dev: tests/requirements.txt tests/uv.txt $(BUILT) | $(BIN)/python
	@$(PIP) install --require-hashes --requirement tests/uv.txt
	@$(UV) install --python $(BIN)/python --require-hashes --requirement tests/requirements.txt
	@$(UV) install --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.installed-mutants: .venv/.installed-dev
	@$(PIP) install --no-build-isolation --editable '.[mutants]'
	@touch $@
