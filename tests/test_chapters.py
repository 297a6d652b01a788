"""The contract of all chapters: each has its notebook's name, tells its plans, and does nothing for it."""

import inspect
import re
import socket
from pathlib import Path

import pytest

from sidkit import chapters
from sidkit.chapters import cast
from sidkit.notebook_file import find_notebook
from sidkit.parameters import declared_parameters
from sidkit.study.chapter import NOT_PLANNED, accepted
from sidkit.study.plan import METHOD, SCALES, Plan

ROOT = Path(__file__).parents[1]
THAT_TRAIN = [name for name in chapters.NOTEBOOKS if name not in ("00_sticker_world", "12_claims")]
# What a notebook asks for that shapes what is shown, and not what is run.
ONLY_SHOWN = {
    "00_introduction": {"picture_file"},
    "00_sticker_world": {"size", "seed"},
    "03_vlm_comparison": {"scenes"},
    "06_attention_maps": {"convention"},
    "09_measures": {"each"},
    "11_your_images": {"describer", "spend_at_most"},
}


def defaults(notebook):
    """The parameters of a notebook as it stands."""
    return {name: parameter.default for name, parameter in declared_parameters(find_notebook(notebook)).items()}


def test_every_notebook_is_a_chapter_and_every_chapter_a_notebook():
    assert [path.stem for path in sorted((ROOT / "notebooks").glob("*.ipynb"))] == sorted(chapters.NOTEBOOKS)
    modules = {path.stem for path in (ROOT / "sidkit" / "chapters").glob("*.py")} - {"__init__", "cast"}
    assert modules == {name.partition("_")[2] for name in chapters.NOTEBOOKS}
    assert all(name == chapters.find(name).NAME for name in chapters.NOTEBOOKS)
    with pytest.raises(ValueError, match="did you mean '07_negative_prompts'"):
        chapters.find("07_negative_prompt")


@pytest.mark.parametrize("name", chapters.NOTEBOOKS)
def test_every_parameter_of_the_notebook_is_planned_with_or_only_shown(name):
    given = set(defaults(name)) - set(NOT_PLANNED)
    planned = set(accepted(chapters.find(name).plans, dict.fromkeys(given)))
    assert given - planned == ONLY_SHOWN.get(name, set())


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", chapters.NOTEBOOKS)
def test_plans_are_told_without_doing_anything(name, scale, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("asked the network"))
    for loader in ("sidkit.model_cache.load_pipeline", "sidkit.runs.Runs.get"):
        monkeypatch.setattr(loader, lambda *_, **__: pytest.fail("loaded or made something"))
    chapter = chapters.find(name)
    plans = chapter.plans(scale, **accepted(chapter.plans, defaults(name)))
    assert all(isinstance(plan, Plan) for plan in plans.values())
    assert bool(plans) == (name in THAT_TRAIN)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", THAT_TRAIN)
def test_options_of_a_plan_reach_it(name):
    """What several chapters once dropped on the way: a profile, steps, pictures and seed that are not the default."""
    chapter = chapters.find(name)
    given = dict(profile="sd15", steps=7, pictures=3, seed=5)
    wanted = {option: value for option, value in given.items() if option in defaults(name)}
    for plan in chapter.plans("smoke", **accepted(chapter.plans, wanted)).values():
        assert (plan.profile.name, plan.seed) == ("sd15", 5)
        assert plan.pictures == wanted.get("pictures", plan.pictures)
        if "steps" in wanted and METHOD in {arm.method for arm in plan.arms if "steps" not in arm.training}:
            assert plan.training.steps == 7


def test_the_cast_is_one_table_and_grows_with_the_scale():
    assert tuple(SCALES) == cast.SCALES
    for chapter, rows in cast.CAST.items():
        assert any(name.endswith(chapter) for name in chapters.NOTEBOOKS)
        for row in rows.values():
            sizes = [value if isinstance(value, int) else len(value) for value in row]
            assert sizes == sorted(sizes)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("limits", "subjects", "quik"), "unknown scale 'quik'; did you mean 'quick'"),
        (("limit", "subjects", "quick"), "unknown chapter 'limit'; did you mean 'limits'"),
        (("limits", "steps, times usual", "quick"), "did you mean 'steps, times the usual'"),
    ],
)
def test_the_cast_is_asked_for_what_it_has(asked, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        cast.of(*asked)


def test_every_row_of_the_cast_is_played(monkeypatch):
    """Each chapter asks for all of its rows when it plans, or when it works out what it shows."""
    asked = set()
    answer = cast.of

    def noted(chapter, row, scale):
        asked.add((chapter, row))
        return answer(chapter, row, scale)

    monkeypatch.setattr(cast, "of", noted)
    for name in THAT_TRAIN:
        chapters.find(name).plans("full")
    shown_only = {
        ("sticker_world", "scenes scored"),
        ("vlm_comparison", "scenes described"),
        ("measures", "pictures of a mixture"),
    }
    rows = {(chapter, row) for chapter, rows_of_chapter in cast.CAST.items() for row in rows_of_chapter}
    assert rows - asked == shown_only
    for chapter, row in shown_only:
        source = (ROOT / "sidkit" / "chapters" / f"{chapter}.py").read_text()
        assert f'"{row}"' in source
    assert set(cast.ORDER) <= rows


def test_nobody_else_says_what_a_scale_is():
    """The words smoke, quick and full stand as keys or columns in one place of the chapters."""
    for path in (ROOT / "sidkit" / "chapters").glob("*.py"):
        if path.stem != "cast":
            assert not re.search(r"[\"']smoke[\"']|[\"']quick[\"']", path.read_text()), path.name


def test_chapters_have_the_functions_of_the_protocol():
    for name in chapters.NOTEBOOKS:
        chapter = chapters.find(name)
        for function in ("claims", "tables"):
            assert list(inspect.signature(getattr(chapter, function)).parameters) == ["results"]
