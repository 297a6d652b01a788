# make                       the same as make book
# make book [SCALE=quick]    execute the notebooks (smoke, quick or full) and build the book; prints its first page
# make test [ARGS="-k runs"] test; ruff is one of the tests
# make lint                  format, and put right what ruff can
# make lock                  renew requirements.lock and torch-pypi.lock from pyproject.toml
# make clean                 remove the built book and the executed notebooks; the runs stay
#
# Each sets up .venv first, if it is not there or a lock has changed.

PYTHON ?= python3
VENV ?= .venv
SCALE ?= quick

# Of torch there are two builds. PyTorch's own index has the CPU's for Linux; PyPI's brings several GB of CUDA packages on
# Linux, and none on macOS. For a GPU: make TORCH_LOCK=torch-pypi.lock
TORCH_LOCK ?= $(if $(filter Linux,$(shell uname -s)),torch-cpu.lock,torch-pypi.lock)
# Asked only where pip's own sources have no such build. The hashes say that it is the right one, whoever sends it.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

PIP := $(VENV)/bin/python -m pip -qq --disable-pip-version-check
# A lock names every package and the hashes of its files: pip takes no other file, and looks for no further package.
LOCKED := install --no-deps --only-binary :all: --require-hashes

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
	@$(PIP) $(LOCKED) -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# torch comes first and alone: its build is the machine's choice.
$(VENV)/torch: $(TORCH_LOCK)
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v < (3, 14) or sys.exit( \
		"expected Python 3.11 to 3.13, got %d.%d; name another: make PYTHON=python3.12" % v)'
	@$(PYTHON) -m venv $(VENV)
	@echo "installing torch of $(TORCH_LOCK) into $(VENV)"
	@$(PIP) $(LOCKED) -r $(TORCH_LOCK) 2>/dev/null || $(PIP) $(LOCKED) --extra-index-url $(TORCH_INDEX) -r $(TORCH_LOCK)
	@touch $@

# One resolution for all Pythons and systems: what only PyPI's build of torch needs goes into torch-pypi.lock. What is
# locked already stays as it is, unless pyproject.toml asks for another; to renew it, remove the files first.
LOCK_WORK := .venv/lock
UV := uv==0.13.8
lock:
	@rm -rf $(LOCK_WORK)
	@$(PYTHON) -m venv $(LOCK_WORK)
	@$(LOCK_WORK)/bin/python -m pip install -qq --disable-pip-version-check $(UV)
	@cat requirements.lock torch-pypi.lock > $(LOCK_WORK)/all 2>/dev/null || true
	@$(LOCK_WORK)/bin/uv pip compile -q --universal --generate-hashes --no-build --no-header --no-annotate \
		--python-version 3.11 --extra book --extra test --group build pyproject.toml -o $(LOCK_WORK)/all
	@echo "# Written by make lock from pyproject.toml. torch is installed before it (see Makefile)." > requirements.lock
	@echo "# Written by make lock: torch as PyPI has it, with CUDA on Linux." > torch-pypi.lock
	@awk '/^[a-zA-Z]/ {lock = /^(torch|triton|nvidia-.*|cuda-.*)==/ ? "torch-pypi.lock" : "requirements.lock"} \
		/^[a-zA-Z ]/ {print >> lock}' $(LOCK_WORK)/all
	@rm -rf $(LOCK_WORK)
	@grep -c == requirements.lock torch-pypi.lock

clean:
	@rm -rf _build book/chapters/*.ipynb
