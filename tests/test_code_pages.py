"""The code in the book: where things are defined, links under figures and tables, the map of the rooms."""

import re
import sys
import types
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from test_layers import SOURCES, imported

import sidkit
from sidkit import chapters
from sidkit.notebook import find_notebook

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "book" / "_ext"))

import code_links  # noqa: E402
import definitions  # noqa: E402
import package_map  # noqa: E402
import rooms  # noqa: E402
import sources  # noqa: E402


class Builder:
    """Addresses as Sphinx's builder of HTML makes them."""

    def get_relative_uri(self, source, target):
        return "../" * source.count("/") + target + ".html"


APP = types.SimpleNamespace(builder=Builder())


def line_of(dotted):
    place = definitions.place_of(dotted)
    return place.module.source.splitlines()[place.line - 1]


@pytest.mark.parametrize(
    ("dotted", "line"),
    [
        ("sidkit.mark.insert", "def insert("),
        ("sidkit.mark.MARK", 'MARK = "[v]"'),
        ("sidkit.study.plan.Plan.runs", "    def runs("),
        ("sidkit.study.plan.Plan", "class Plan"),
        ("sidkit.generate", "def generate("),  # through the front door
        ("sidkit.generation.check_ready", "def check_ready("),  # where it comes from, not where it is imported
        ("sidkit.mark", '"""'),
    ],
)
def test_a_name_leads_to_its_line(dotted, line):
    assert line_of(dotted).startswith(line)


def test_an_unknown_name_leads_nowhere():
    for dotted in ("sidkit.mark.inzert", "sidkit.marc", "numpy.mean", "sidkit.study.plan.Plan.colour"):
        assert definitions.place_of(dotted) is None


def test_names_in_a_page_of_source_lead_to_what_they_name():
    module = definitions.modules()["sidkit.generation"]
    found = {}
    for start, place in sources._references(module):
        name = re.match(r"\w+", module.source[start:])[0]
        found.setdefault(name, place)
    assert found["check_ready"].module.name == "sidkit.mark"
    assert found["generate"].module is module and "prompts" not in found  # an argument, whatever else has the name


def test_a_page_of_source_has_all_of_it_and_an_address_for_each_line():
    pages = {page: context for page, context, _ in sources.collect_pages(APP)}
    assert len(pages) == len(SOURCES)
    page = BeautifulSoup(pages["code/sidkit/mark"]["body"], "html.parser")
    for number in page.select("a.line-number"):
        assert number["href"] == f"#{number.parent['id']}"
        number.decompose()
    assert page.select_one("pre").get_text() == definitions.modules()["sidkit.mark"].source.rstrip("\n")


def shown_by(notebook):
    """The names of a notebook's figures, and of its tables that come out of the run."""
    for cell in nbformat.read(notebook, as_version=4).cells:
        if figure := cell.metadata.get("mystnb", {}).get("figure"):
            yield figure["name"]
        for table in cell.source.split(":::{table}")[1:]:
            block = table.split("\n:::")[0]
            if "{glue:md}" in block:
                yield block.split(":name: ")[1].split()[0]


@pytest.mark.parametrize("name", chapters.NOTEBOOKS)
def test_what_makes_each_figure_and_table_of_a_chapter_is_known(name):
    notebook = find_notebook(name)
    made = code_links.makers(notebook)
    assert set(made) == set(shown_by(notebook))
    assert all(made.values()), [shown for shown, places in made.items() if not places]


def test_of_a_table_the_function_is_linked_that_makes_it():
    made = code_links.makers(find_notebook("02_description_cases"))
    assert list(made["measures"]) == ["measures_table"] and list(made["claims"]) == ["claims", "claims_table"]
    place = made["claims"]["claims"]
    assert place.module.name == "sidkit.chapters.description_cases"
    assert place.module.source.splitlines()[place.line - 1].startswith("def claims(")


def test_the_map_shows_every_room_and_what_it_uses():
    files = {path.stem for path in (ROOT / "sidkit").glob("*.py")} - {"__init__"}
    folders = {path.parent.name for path in (ROOT / "sidkit").glob("*/__init__.py")}
    drawn = BeautifulSoup(package_map.drawing(APP, "book/library"), "html.parser")
    uses = {box["data-room"]: set(box["data-uses"].split()) for box in drawn.select("a")}
    assert set(uses) == files | folders and {box["data-room"] for box in drawn.select("a.folder")} == folders
    by_test = {name: set() for name in uses}
    for name in SOURCES.keys() - {"sidkit"}:
        by_test[name.split(".")[1]] |= {other.split(".")[1] for other in imported(name) - {"sidkit"}}
    for name, used in uses.items():
        assert used <= by_test[name] - {name}, name  # the layers' test also counts what type checkers read


def test_every_use_is_an_arrow_or_follows_from_arrows():
    drawn = BeautifulSoup(package_map.drawing(APP, "book/library"), "html.parser")
    arrows = {}
    for path in drawn.select("path"):
        arrows.setdefault(path["data-from"], set()).add(path["data-to"])
    for name, room in rooms.rooms().items():
        assert arrows.get(name, set()) <= room.uses <= reached(arrows, name), name
        assert all(rooms.depth_of(used) > rooms.depth_of(name) for used in room.uses)


def reached(arrows, name):
    direct = arrows.get(name, set())
    return direct.union(*(reached(arrows, other) for other in direct))


def test_the_table_of_the_door_has_what_it_offers():
    offered = package_map._offered()
    assert list(offered) == sidkit.__all__
    assert all(len(definitions.summary(definitions.modules()[room], name)) > 15 for name, room in offered.items())


def test_every_room_says_what_it_is_for():
    assert all(len(room.purpose) > 20 for room in rooms.rooms().values())
