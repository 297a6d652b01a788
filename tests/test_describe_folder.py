"""Describing a folder: nothing is asked twice, a person's words stay, nothing is lost, the cost is agreed first."""

import json
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from PIL import Image

from sidkit.describe.answer_error import AnswerError
from sidkit.describe.description import Description
from sidkit.describe.folder import describe_folder, sources
from sidkit.describe.instructions import load_instruction
from sidkit.describe.spend import Cost, Price, check_spend, estimate, read_prices
from sidkit.subjects import load_subject

STRUCTURE = load_instruction("structure")


@dataclass
class Told:
    """A describer that names the picture's colour, and remembers what it was asked."""

    name: str = "told"
    price: float | None = None
    paid: float = 0.0
    fails: tuple[int, ...] = ()  # calls that fail, counted from 0
    kind: str = "refused"  # how they fail
    asked: list = field(default_factory=list)

    def fits(self, instruction):
        return instruction

    def cost(self, sizes, instruction):
        return None if self.price is None else Cost(len(sizes), 10, 10, self.price * len(sizes))

    def describe(self, image, class_word, instruction):
        self.asked.append(instruction.text)
        if len(self.asked) - 1 in self.fails:
            raise AnswerError(self.kind, "Sorry")
        self.paid += 0.5
        tone = f"tone {image.getpixel((0, 0))[0]}"
        return Description(class_word, ("by a ball",), ("by a red ball",), tone, tone, raw="raw", model=self.name)


@pytest.fixture
def folder(tmp_path):
    for index in range(3):
        Image.fromarray(np.full((40, 40, 3), 50 * index, np.uint8)).save(tmp_path / f"{index}.png")
    return tmp_path


def captions(folder):
    return json.loads((folder / "captions.json").read_text())["captions"]


def test_a_folder_is_described_and_loads(folder):
    report = describe_folder(folder, "cup", Told(), STRUCTURE, cases=(1, 2, 3, 4))
    subject = load_subject(folder)
    assert subject.captions[3]["1.png"] == "a photo of a [v] cup by a red ball tone 50"
    assert subject.captions[2]["1.png"] == "a photo of a [v] cup by a ball tone 50"
    assert subject.bias == ("background", "nearby")
    assert report.by == dict.fromkeys(["0.png", "1.png", "2.png"], "told")


def test_each_answer_is_kept_with_where_it_came_from(folder):
    describe_folder(folder, "cup", Told(), STRUCTURE)
    answers = json.loads((folder / "descriptions.json").read_text())["answers"]
    one = next(answer for answer in answers.values() if answer["file"] == "0.png")
    assert one["image"].startswith("sha256:") and len(one["image"]) == 71
    assert (one["model"], one["instruction"], one["raw"]) == ("told", "structure", "raw")
    assert "The picture shows a cup" in one["asked"] and one["time"][-6:] == "+00:00"
    assert len({answer["image"] for answer in answers.values()}) == 3


def test_a_question_is_not_asked_twice(folder):
    model = Told()
    for _ in range(2):
        describe_folder(folder, "cup", model, STRUCTURE)
    assert len(model.asked) == 3
    Image.new("RGB", (40, 40), "white").save(folder / "1.png")  # another picture
    describe_folder(folder, "cup", model, STRUCTURE)
    assert len(model.asked) == 4
    with pytest.raises(ValueError, match="class_word: expected 'cup' as in .*captions.json, got 'mug'"):
        describe_folder(folder, "mug", model, STRUCTURE)
    path = folder / "captions.json"
    path.write_text(path.read_text().replace('"class_word": "cup"', '"class_word": "mug"'))
    describe_folder(folder, "mug", model, STRUCTURE)  # another class
    assert len(model.asked) == 7
    describe_folder(folder, "mug", Told("other"), STRUCTURE)  # another model, which writes anew
    describe_folder(folder, "mug", model, STRUCTURE, again=True)
    assert len(model.asked) == 10


def test_what_a_person_wrote_stays_and_is_known_as_such(folder):
    describe_folder(folder, "cup", Told(), STRUCTURE)
    told = json.loads((folder / "captions.json").read_text())
    told["captions"]["1.png"] = "a [v] cup that I know"
    (folder / "captions.json").write_text(json.dumps(told))
    model = Told("other")
    report = describe_folder(folder, "cup", model, STRUCTURE, again=True)
    assert captions(folder)["1.png"] == "a [v] cup that I know"
    assert len(model.asked) == 2 and report.by["1.png"] == "hand"
    assert sources(folder) == {"0.png": {"3": "other"}, "1.png": {"3": "hand"}, "2.png": {"3": "other"}}
    describe_folder(folder, "cup", Told(), STRUCTURE, cases=(1, 3))
    assert captions(folder)["1.png"] == {"1": "a photo of a [v] cup", "3": "a [v] cup that I know"}
    assert sources(folder)["1.png"] == {"1": "told", "3": "hand"}


def test_an_unfinished_folder_goes_on_where_it_stopped(folder):
    report = describe_folder(folder, "cup", Told(fails=(1,)), STRUCTURE)
    assert list(report.failed) == ["1.png"] and report.failed["1.png"].kind == "refused"
    assert not (folder / "captions.json").exists()  # a caption is missing, and a loader would refuse the file
    model = Told()
    assert not describe_folder(folder, "cup", model, STRUCTURE).failed
    assert len(model.asked) == 1


@pytest.mark.parametrize(
    ("kind", "asked", "failed", "unasked"),
    [
        ("refused", 4, ["1.png", "2.png"], []),
        ("failing", 3, ["1.png", "2.png"], ["3.png"]),
        ("too slow", 3, ["1.png", "2.png"], ["3.png"]),
        ("unreachable", 2, ["1.png"], ["2.png", "3.png"]),
        ("key", 2, ["1.png"], ["2.png", "3.png"]),
        ("quota", 2, ["1.png"], ["2.png", "3.png"]),
    ],
)
def test_a_server_that_will_not_do_is_not_asked_about_every_picture(folder, kind, asked, failed, unasked):
    Image.new("RGB", (40, 40), "white").save(folder / "3.png")
    model = Told(fails=(1, 2), kind=kind)
    report = describe_folder(folder, "cup", model, STRUCTURE)
    assert (len(model.asked), list(report.failed), list(report.unasked)) == (asked, failed, unasked)
    assert report.captions["0.png"] and not (folder / "captions.json").exists()
    again = Told()
    assert not describe_folder(folder, "cup", again, STRUCTURE).failed
    assert len(again.asked) == 4 - asked + len(failed)  # what was answered is kept


def test_the_cost_is_agreed_before_the_first_question(folder):
    model = Told(price=0.5)
    with pytest.raises(ValueError, match="at most \\$1.5000.*expected a limit"):
        describe_folder(folder, "cup", model, STRUCTURE)
    with pytest.raises(ValueError, match="expected at most \\$1.0000"):
        describe_folder(folder, "cup", model, STRUCTURE, spend_at_most=1)
    assert model.asked == []
    describe_folder(folder, "cup", model, STRUCTURE, agree=lambda cost: cost.dollars)
    assert len(model.asked) == 3


def test_spending_stops_at_the_limit_and_keeps_what_it_has(folder):
    model = replace(Told(), price=0.1)
    with pytest.raises(ValueError, match="stopped before 1.png"):
        describe_folder(folder, "cup", model, STRUCTURE, spend_at_most=0.4)
    assert len(json.loads((folder / "descriptions.json").read_text())["answers"]) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "captions.json").write_text("{"), "expected JSON"),
        (lambda folder: (folder / "3.png").write_text("no picture"), "expected a picture"),
        (lambda folder: [path.unlink() for path in folder.glob("*.png")], "expected pictures"),
    ],
)
def test_nothing_is_asked_of_a_folder_that_will_not_do(folder, change, message):
    change(folder)
    model = Told()
    with pytest.raises(ValueError, match=message):
        describe_folder(folder, "cup", model, STRUCTURE)
    assert model.asked == []


def test_a_class_word_is_needed(folder):
    with pytest.raises(ValueError, match=r"got nothing; say it \(--class dog\)"):
        describe_folder(folder, None, Told(), STRUCTURE)


def test_prices_count_tiles_and_patches():
    tiles = Price(input=2.5, output=10, tiles={"base": 85, "each": 170})
    assert tiles.picture(512, 512) == 85 + 170
    assert tiles.picture(1024, 1024) == 85 + 4 * 170  # 768 x 768 px after scaling: four tiles
    patches = Price(input=0.4, output=1.6, patches={"most": 1536, "factor": 1.62})
    assert patches.picture(64, 64) == 7  # 4 patches x 1.62, rounded up
    assert patches.picture(2000, 2000) == 2489  # never over 1536 patches
    assert Price(input=2, output=8).dollars(1_000_000, 500_000) == 6


def test_an_estimate_adds_up():
    cost = estimate([(512, 512)] * 3, "x" * 35, 100, Price(input=2, output=8, tiles={"base": 85, "each": 170}), "2025")
    assert (cost.tokens_in, cost.tokens_out) == (3 * (255 + 10 + 30), 300)
    assert cost.dollars == pytest.approx((885 * 2 + 300 * 8) / 1e6)
    assert "at most $0.0042 by the prices of 2025" in str(cost)


def test_an_unknown_price_needs_a_word_of_agreement():
    unknown = estimate([(64, 64)], "what?", 10, None)
    with pytest.raises(ValueError, match="no price is known"):
        check_spend(unknown, None)
    check_spend(unknown, 1.0)


def test_the_price_table_is_read_and_a_wrong_one_refused(tmp_path):
    prices = read_prices()
    assert prices.models["gpt-4.1-mini"].input == 0.4 and prices.as_of.startswith("20")
    for text in ("models: {m: {in: 3}}", "models: {m: {input: cheap, output: 1}}", "models: [", "", "3", "models: 3"):
        (tmp_path / "mine.yaml").write_text(text)
        with pytest.raises(ValueError, match="mine.yaml: expected {models") as refusal:
            read_prices(tmp_path / "mine.yaml")
        assert "\n" not in str(refusal.value)
