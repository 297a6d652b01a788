"""`{memory-table}` in a page: what each profile needs, counted by `sidkit doctor` while the page is built."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class MemoryTable(SphinxDirective):
    """A row for each profile that is named, a column for each way of saving memory; GB."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {}

    def run(self) -> list[nodes.Node]:
        from sidkit.config import load_profile
        from sidkit.doctor.memory_table import memory_table

        rows = memory_table([load_profile(name) for name in self.arguments[0].split()])
        lines = [list(rows[0]), *([*row.values()] for row in rows)]
        text = [" | ".join(lines[0]), " | ".join(["---"] * len(lines[0])), *(" | ".join(line) for line in lines[1:])]
        return self.parse_text_to_nodes("\n".join(f"| {line} |" for line in text))


def setup(app: Sphinx) -> dict:
    """Called by Sphinx."""
    app.add_directive("memory-table", MemoryTable)
    return {"parallel_read_safe": True}
