"""Running a notebook with parameters: the one place that calls papermill.

Papermill only warns of a misspelt parameter and runs on with the default. Here every name and type is checked against
the cell tagged `parameters` (`sidkit.parameters`), and the place of the executed copy, before a kernel starts.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from sidkit.files import check_writable
from sidkit.notebook_file import find_notebook, read_notebook
from sidkit.parameters import check_parameters

OUTPUTS = Path("runs") / "notebooks"


class NotebookError(RuntimeError):
    """A notebook that did not run to its end. The message names it; `excerpt` is its cell and what that raised."""

    def __init__(self, message: str, excerpt: str = "") -> None:
        super().__init__(message)
        self.excerpt = excerpt


def run_notebook(
    name: str | Path, parameters: Mapping[str, Any], output: Path | None = None, progress: TextIO | None = sys.stderr
) -> Path:
    """Execute a notebook with `parameters` over its defaults and return the executed copy.

    `name` is that of a chapter (`02_description_cases`) or the path of any .ipynb file; `output` is where the executed
    copy goes (default: `runs/notebooks/NAME.ipynb`). Cells run in the current folder; what they write to stderr, above
    all their progress, goes to `progress`.

    Raises ValueError, before any work, for an unknown notebook or parameter (the nearest one is offered), for a value
    of a wrong type and for an output that cannot be written; NotebookError where a cell fails or the kernel dies.
    """
    source = find_notebook(name)
    checked = check_parameters(source, parameters)
    notebook = read_notebook(source)
    output = output_place(source, output)
    output.parent.mkdir(parents=True, exist_ok=True)
    check_writable(output)

    import papermill  # half a second, and only needed once everything is checked
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import DeadKernelError

    kernel = {"kernel_name": "python3", "language": "python"}  # whatever the editor that saved it was set to
    kernel["extra_arguments"] = ["--IPKernelApp.log_level=CRITICAL"]  # not its ports, nor that it ends
    logging.getLogger("papermill").setLevel(logging.ERROR)  # it warns of types that it cannot read
    shown = dict(progress_bar=progress is sys.stderr, stderr_file=progress)
    place = str(output).replace("{", "{{").replace("}", "}}")  # papermill formats it
    try:
        papermill.execute_notebook(notebook, place, checked, **kernel, **shown)
    except papermill.PapermillExecutionError as error:
        failure = f"cell {error.cell_index} failed: {error.ename}: {error.evalue}"
        raise NotebookError(f"{source.stem}: {failure}", str(error)) from error
    except DeadKernelError as error:
        raise NotebookError(f"{source.stem}: its kernel died; the usual reason is too little memory") from error
    except NoSuchKernel as error:
        raise NotebookError(f"{source.stem}: no kernel {error.name}; install it: pip install ipykernel") from error
    return output


def output_place(source: Path, output: Path | None = None) -> Path:
    """Where the executed copy of a notebook goes; ValueError where that is the notebook itself."""
    output = Path(output or OUTPUTS / source.name)
    if output.resolve() == source.resolve():
        raise ValueError(f"output: expected another place than the notebook itself, got {output}")
    return output
