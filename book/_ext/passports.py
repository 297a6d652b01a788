"""Every picture and table carries its passport: a chapter writes it once, and it is shown folded away under each."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx

CLASS = "passport"  # of the dropdown that a chapter writes
FOREIGN = "paper-"  # how the names of figures begin that show the paper's numbers and not ours


def hand_out(app: Sphinx, doctree: nodes.document) -> None:
    """Put a copy of the page's passport under each of its figures and captioned tables, in the place of the one."""
    written = [node for node in doctree.findall(nodes.container) if CLASS in _classes(node)]
    for passport in written:
        for shown in _numbered(doctree):
            shown.parent.insert(shown.parent.index(shown) + 1, passport.deepcopy())
        passport.parent.remove(passport)


def _numbered(doctree: nodes.document) -> list[nodes.Element]:
    tables = [node for node in doctree.findall(nodes.table) if any(isinstance(one, nodes.title) for one in node)]
    figures = [*doctree.findall(nodes.figure), *tables]
    return [node for node in figures if not any(name.startswith(FOREIGN) for name in node["ids"])]


def _classes(node: nodes.Element) -> list[str]:
    return [*node["classes"], *node.get("container_classes", [])]


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("doctree-read", hand_out)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
