"""Leave out the scripts of Thebe, which runs code on a server: this book does not use it, and they come twice."""

from __future__ import annotations

from sphinx.application import Sphinx

UNUSED = "thebe"
LAST = 900  # after the theme and its extensions have added theirs


def drop_unused(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    """Take such scripts out of one page."""
    context["script_files"] = [one for one in context.get("script_files", []) if not _is_unused(one)]


def _is_unused(script: object) -> bool:
    body = getattr(script, "attributes", {}).get("body") or ""
    return UNUSED in f"{getattr(script, 'filename', '')} {body}".lower()


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("html-page-context", drop_unused, priority=LAST)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
