# The two commands of the README are `make quickstart` and `make test`. Each makes .venv when it is not there.

PYTHON ?= python3
BIN := .venv/bin
RUN := runs/quickstart
RECIPES := recipes/quickstart
INSTALL := $(BIN)/pip install --quiet --constraint constraints.txt
FAULT_TESTS := $(addprefix tests/test_,checkpoint.py step_guard.py bad_steps.py faults.py distributed.py \
	streaming.py token_store.py training_data.py)
# A file of tests is one process's, and two take turns at the files.
PYTEST = $(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile
TEST_PROCESSES ?= 2
PACKAGE := setup.cfg pyproject.toml constraints.txt

# GNU OpenMP lets an idle thread spin 300,000 times. Where another program wants the core, that makes training ten times
# slower or worse; a thirtieth of the spinning cost a quiet machine 7 % and kept a busy one going.
export GOMP_SPINCOUNT ?= 10000

.PHONY: quickstart test test-slow test-faults quality format clean

quickstart: .venv/installed
	rm -rf $(RUN)
	$(BIN)/python scripts/make_sample_chats.py --config $(RECIPES)/make_sample_chats.yaml
	$(BIN)/python scripts/prepare_data.py --config $(RECIPES)/prepare_data.yaml
	$(BIN)/python scripts/train_tokenizer.py --config $(RECIPES)/train_tokenizer.yaml
	$(BIN)/accelerate launch --config_file recipes/accelerate/cpu.yaml scripts/pretrain.py --config $(RECIPES)/pretrain.yaml
	$(BIN)/python scripts/finetune.py --config $(RECIPES)/finetune.yaml
	$(BIN)/python scripts/evaluate.py --config $(RECIPES)/evaluate.yaml
	$(BIN)/python scripts/audit.py --config $(RECIPES)/audit.yaml
	$(BIN)/python scripts/publish.py --config $(RECIPES)/publish.yaml
	$(BIN)/python scripts/chat.py --config $(RECIPES)/chat.yaml

test: .venv/installed-test
	$(PYTEST) -m "not slow and not faults"

test-slow: .venv/installed-test
	$(PYTEST) -m "slow and not faults"

# Hundreds of runs that are killed, starved of disk, given damaged checkpoints; tests/README.md says what came of it.
test-faults: .venv/installed-test
	$(PYTEST) $(FAULT_TESTS)

quality: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: .venv/installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv $(RUN)

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "darija_gpt needs Python 3.11 or newer and $(PYTHON) is not; try: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/installed: .venv/python $(PACKAGE)
	$(INSTALL) --editable .
	@touch $@

.venv/installed-test: .venv/installed
	$(INSTALL) --editable '.[test]'
	@touch $@
