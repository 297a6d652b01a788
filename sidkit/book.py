"""The book from nothing: execute every notebook that the table of contents names, then build the pages.

A page of `_toc.yml` with the name of a notebook in `notebooks/` is that notebook's executed copy; git ignores it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from sidkit.notebook import check_parameters, declared_parameters, run_notebook

# Jupyter Book has no `python -m`; its script may not be on the path where the virtual environment is not activated.
JUPYTER_BOOK = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]


def build_book(root: Path, *, scale: str) -> Path:
    """Execute and build the book whose `_config.yml` and `_toc.yml` lie in `root`; return its first page.

    `scale` goes to every notebook that has such a parameter. Builds from a clean `_build` (the builder's own cache
    serves stale figures), with warnings as errors. Raises ValueError for a folder without a book and for a scale that a
    notebook refuses; PapermillExecutionError where a cell fails; RuntimeError where the pages do not build.
    """
    pages = executed_pages(root)
    parameters = {source: _scaled(source, scale) for source in pages}  # all are checked before the first one runs
    for source, page in pages.items():
        print(f"executing {source.stem}", file=sys.stderr, flush=True)
        run_notebook(source, parameters[source], page)
    shutil.rmtree(root / "_build", ignore_errors=True)
    build = [*JUPYTER_BOOK, "build", str(root), "-W", "-n", "--keep-going"]
    if subprocess.run(build, check=False).returncode:
        raise RuntimeError("the book did not build; its warnings and errors are above")
    return (root / "_build" / "html" / "index.html").resolve()


def executed_pages(root: Path) -> dict[Path, Path]:
    """Notebook -> the page that is its executed copy, in the order of the table of contents."""
    if not (root / "_toc.yml").is_file():
        raise ValueError(f"book: expected _config.yml and _toc.yml in {root.resolve()}, found no _toc.yml")
    from sphinx_external_toc.parsing import parse_toc_yaml  # comes with Jupyter Book, which not everyone installs

    names = [Path(name).with_suffix("") for name in parse_toc_yaml(root / "_toc.yml")]
    sources = {root / "notebooks" / f"{name.name}.ipynb": root / f"{name}.ipynb" for name in names}
    return {source: page for source, page in sources.items() if source.is_file()}


def _scaled(source: Path, scale: str) -> dict[str, str]:
    given = {"scale": scale} if "scale" in declared_parameters(source) else {}
    return check_parameters(source, given)
