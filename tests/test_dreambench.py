"""DreamBench's files as they come, and its scores on embeddings whose answers are known by hand."""

import inspect
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sidkit.cli.real_models import fetch
from sidkit.describe.cases import captions_of_case
from sidkit.dreambench import FOLDER, benchmark_of, load_dreambench, plus_prompts, present, read_plus_prompts
from sidkit.measure.metrics import similarities
from sidkit.runs import Runs
from sidkit.study.cells import cells_of
from sidkit.study.plan import make_plan
from sidkit.study.run import subjects_of
from sidkit.worlds import DreamBench, Photos, world_of_folder

PHOTOS = Path(__file__).parents[2] / "shared" / "photos" / "dreambench"
needs_photos = pytest.mark.skipif(not PHOTOS.is_dir(), reason=f"no photos at {PHOTOS}")

TEXT = """Classes

subject_name,class
dog5,dog
bear_plushie,stuffed animal

Object Prompts

prompt_list = [
{objects}
]

Live Subject Prompts

prompt_list = [
{live}
]
"""


@pytest.fixture
def root(tmp_path):
    line = "'a {{0}} {{1}} {}'.format(unique_token, class_token),"
    lists = {kind: "\n".join(line.format(f"{kind} {turn}") for turn in range(25)) for kind in ("objects", "live")}
    (tmp_path / "prompts_and_classes.txt").write_text(TEXT.format(**lists))
    (tmp_path / "dog5").mkdir()
    for name in ("01.jpg", "00.jpg", ".hidden.jpg", "notes.txt"):
        (tmp_path / "dog5" / name).touch()
    return tmp_path


@pytest.fixture
def pictured(root):
    for name in ("00.jpg", "01.jpg"):
        Image.new("RGB", (64, 64), "brown").save(root / "dog5" / name)
    (root / "dog5" / ".hidden.jpg").unlink()
    return root


def test_classes_and_prompts_are_read_as_they_are(root):
    bench = load_dreambench(root)
    assert bench.classes == {"dog5": "dog", "bear_plushie": "stuffed animal"} and present(bench) == ["dog5"]
    dog, bear = bench.prompts("dog5"), bench.prompts("bear_plushie")
    assert (dog[0].text, bear[24].text) == ("a [v] dog live 0", "a [v] stuffed animal objects 24")
    kinds = [[one.kind for one in prompts] for prompts in (dog, bear)]
    assert [kinds[0].count(kind) for kind in ("recontextualization", "accessory", "property")] == [10, 10, 5]
    assert [kinds[1].count(kind) for kind in ("recontextualization", "accessory", "property")] == [20, 0, 5]


def test_a_subject_needs_no_captions_for_case_1(root):
    subject = load_dreambench(root).subject("dog5")
    assert [path.name for path in subject.images] == ["00.jpg", "01.jpg"]
    assert captions_of_case(subject, 1) == ("a photo of a [v] dog",) * 2
    with pytest.raises(ValueError, match="expected captions of case 3"):
        captions_of_case(subject, 3)


def test_what_is_not_there_is_told(root, tmp_path):
    bench = load_dreambench(root)
    with pytest.raises(ValueError, match="unknown subject of DreamBench 'dog6'; did you mean 'dog5'"):
        bench.subject("dog6")
    with pytest.raises(ValueError, match="bear_plushie: expected pictures .*sidkit fetch dreambench"):
        bench.subject("bear_plushie")
    (root / "prompts_and_classes.txt").write_text("subject_name,class\ndog,dog\n")
    with pytest.raises(ValueError, match="expected subjects with classes and 2 x 25 prompts, found 1 subjects and 0"):
        load_dreambench(root)
    with pytest.raises(ValueError, match="expected .*prompts_and_classes.txt, found none"):
        load_dreambench(root / "dog5")


@needs_photos
def test_the_published_list_has_30_subjects_of_which_some_are_here():
    bench = load_dreambench(PHOTOS)
    assert len(bench.classes) == 30 and sum(word in ("cat", "dog") for word in bench.classes.values()) == 9
    assert len(set(bench.classes.values())) == 15
    assert bench.prompts("backpack")[0].text == "a [v] backpack in the jungle"
    assert bench.prompts("dog8")[10].text == "a [v] dog wearing a red hat"
    names = present(bench)
    assert names and all(4 <= len(bench.subject(name).images) <= 6 for name in names)


def test_dreambench_plus_prompts(tmp_path):
    path = tmp_path / "00.txt"
    path.write_text("white cat\nA white cat on a sofa.\n\na sketch of a White Cat\n")
    assert read_plus_prompts(path)[0] == "white cat"
    assert [one.text for one in plus_prompts(path)] == ["A [v] white cat on a sofa.", "a sketch of a [v] White Cat"]
    path.write_text("white cat\na dog\n")
    with pytest.raises(ValueError, match="expected 'white cat' in each prompt"):
        plus_prompts(path)
    path.write_text("white cat\n")
    with pytest.raises(ValueError, match="got 1 lines"):
        read_plus_prompts(path)


def test_another_implementation_gives_the_same_cosines():
    functional = pytest.importorskip("torchmetrics.functional", reason="torchmetrics is not installed")
    import torch

    rng = np.random.default_rng(0)
    a, b = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in rng.normal(size=(2, 6, 32)))
    theirs = functional.pairwise_cosine_similarity(torch.tensor(a), torch.tensor(b)).numpy()
    assert np.allclose(similarities(a, b), theirs, atol=1e-9)


def plan_of(root, name="dog5", cases=(1,), **options):
    return make_plan("smoke", subjects=[str(root / name)], cases=cases, **options)


def test_a_chapter_takes_a_subject_of_the_benchmark_with_its_prompts(pictured, tmp_path):
    plan = plan_of(pictured)
    subjects = subjects_of(plan, Runs(tmp_path / "runs"))
    (cell,) = cells_of(plan, subjects).values()
    assert cell.captions == ("a photo of a [v] dog",) * 2
    assert cell.prompts == tuple(load_dreambench(pictured).prompts("dog5"))
    assert plan.pictures_total == 25 and plan_of(pictured, prompts=["a [v] dog"]).pictures_total == 1


@needs_photos
def test_the_real_ones_are_taken_too(tmp_path):
    bench = load_dreambench(PHOTOS)
    names = present(bench)
    plan = make_plan("smoke", subjects=[str(PHOTOS / name) for name in names], cases=[1])
    cells = cells_of(plan, subjects_of(plan, Runs(tmp_path)))
    assert [subject for subject, _ in cells] == names and plan.pictures_total == 25 * len(names)
    for (name, _), cell in cells.items():
        assert len(cell.prompts) == 25 and all(f"[v] {bench.classes[name]}" in prompt.text for prompt in cell.prompts)


def test_captions_that_somebody_wrote_for_it_are_taken(pictured, tmp_path):
    texts = {name: f"a [v] dog on a sofa, {name[1]}" for name in ("00.jpg", "01.jpg")}
    captions = {name: {"3": text} for name, text in texts.items()}
    captions = {"class_word": "dog", "bias": ["background"], "captions": captions}
    (pictured / "dog5" / "captions.json").write_text(json.dumps(captions))
    plan = plan_of(pictured, cases=(1, 3))
    usual, sid = cells_of(plan, subjects_of(plan, Runs(tmp_path / "runs"))).values()
    assert sid.captions == tuple(texts.values()) and len(sid.prompts) == len(usual.prompts) == 25


def test_a_subject_is_called_by_the_benchmark_s_name(pictured, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runs = Runs("runs")
    plan = make_plan("smoke", subjects=["dreambench/dog5"], cases=[1])
    with pytest.raises(ValueError, match="expected photos/dreambench/.*found none.*sidkit fetch dreambench"):
        subjects_of(plan, runs)
    Path("photos").mkdir()
    Path("photos/dreambench").symlink_to(pictured)
    assert list(subjects_of(plan, runs)) == ["dog5"]
    with pytest.raises(ValueError, match="unknown subject of DreamBench 'dog6'; did you mean 'dog5'"):
        subjects_of(make_plan("smoke", subjects=["dreambench/dog6"], cases=[1]), runs)


def test_a_folder_beside_the_benchmark_s_is_nobody_s(pictured):
    assert benchmark_of(pictured / "my_cat") is None and benchmark_of(Path("photos/my_cat")) is None
    assert world_of_folder(pictured / "my_cat") == Photos()
    assert world_of_folder(pictured / "dog5") == DreamBench()


def test_fetch_puts_it_where_it_is_looked_for():
    assert inspect.signature(fetch).parameters["to"].default == Path(FOLDER)
