# make                       the same as make book
# make book [SCALE=quick]    execute the notebooks (smoke, quick or full) and build the book; prints its first page
# make test [ARGS="-k runs"] test; ruff is one of the tests
# make lint                  format, and put right what ruff can
# make lock                  renew requirements.lock from pyproject.toml
# make clean                 remove the built book and the executed notebooks; the runs stay
#
# Each sets up .venv first, if it is not there or the lock has changed.

PYTHON ?= python3
VENV ?= .venv
SCALE ?= quick

# The CPU build: on Linux the plain release brings several GB of CUDA packages. For a GPU: make TORCH=torch==2.13.0
TORCH_VERSION := 2.13.0
TORCHVISION_VERSION := 0.28.0
TORCH ?= torch==$(TORCH_VERSION)$(if $(filter Linux,$(shell uname -s)),+cpu)
# Asked only where pip's own sources have no such build.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

PIP := $(VENV)/bin/python -m pip -qq --disable-pip-version-check

.PHONY: book test lint venv lock clean

book: venv
	@$(VENV)/bin/sidkit book --scale $(SCALE)

test: venv
	@HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

lint: venv
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

venv: $(VENV)/installed

$(VENV)/installed: $(VENV)/torch requirements.lock pyproject.toml
	@echo "installing the locked packages into $(VENV); this takes minutes"
	@$(PIP) install -r requirements.lock
	@$(PIP) install --no-deps --editable .
	@touch $@

# torch comes first and alone, so that nothing else can choose its build.
$(VENV)/torch:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v < (3, 14) or sys.exit( \
		"expected Python 3.11 to 3.13, got %d.%d; name another: make PYTHON=python3.12" % v)'
	@$(PYTHON) -m venv $(VENV)
	@echo "installing $(TORCH) into $(VENV)"
	@$(PIP) install $(TORCH) 2>/dev/null || $(PIP) install --extra-index-url $(TORCH_INDEX) $(TORCH)
	@touch $@

lock:
	@rm -rf .venv/lock
	@$(MAKE) --no-print-directory VENV=.venv/lock .venv/lock/torch
	@.venv/lock/bin/python -m pip install -qq torch==$(TORCH_VERSION) torchvision==$(TORCHVISION_VERSION) '.[book,test]'
	@echo "# Written by make lock from pyproject.toml; torch is installed before it (see Makefile)." > requirements.lock
	@.venv/lock/bin/python -m pip freeze --exclude sidkit | sed 's/+cpu$$//' >> requirements.lock
	@rm -rf .venv/lock
	@grep -ciE '^(nvidia|cuda|triton)' requirements.lock && exit 1 || wc -l requirements.lock

clean:
	@rm -rf _build book/chapters/*.ipynb
