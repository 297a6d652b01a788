"""`{memory-table}` and `{settings-table}` in a page: what profiles need, and where their settings are published."""

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
        return self.parse_text_to_nodes(as_markdown(rows))


class SettingsTable(SphinxDirective):
    """A row a setting of each method as it is published, with file and line; below, what is not as published."""

    def run(self) -> list[nodes.Node]:
        from sidkit.personalization.published import differences, settings_table

        items = "\n".join(f"- {sentence}" for sentence in differences())
        return self.parse_text_to_nodes(f"{as_markdown(settings_table())}\n\nNot as published:\n\n{items}")


def as_markdown(rows: list[dict[str, str]]) -> str:
    """A table whose head are the rows' keys."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *([*row.values()] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def setup(app: Sphinx) -> dict:
    """Called by Sphinx."""
    app.add_directive("memory-table", MemoryTable)
    app.add_directive("settings-table", SettingsTable)
    return {"parallel_read_safe": True}
