"""The raters' form: what it shows and hides, what it saves, and what is read from that."""

import base64
import io
import itertools
import re

import numpy as np
import pandas as pd
import pytest
from browser import PROGRAM, Browser
from bs4 import BeautifulSoup
from PIL import Image
from test_cli import call

from sidkit.measure.statistics import Interval
from sidkit.raters.form import write_form
from sidkit.raters.pairs import Pair, arrange, pairs_in
from sidkit.raters.preferences import (
    NOBODY,
    _alpha,
    _value_counts,
    agreement,
    notes,
    preferences,
    reading_table,
)
from sidkit.raters.questions import ANSWERS, QUESTIONS, UNSURE
from sidkit.raters.ratings import COLUMNS, _read_key, decoded, read_ratings
from sidkit.raters.simulated import simulated
from sidkit.runs import Runs
from sidkit.study import rater_pairs as rating
from sidkit.study.plan import make_plan
from sidkit.study.run import run_study

ARMS = ("usualarm", "sidarm")
PROMPT = 'a "photo" of a dog & <b>ball</b>'  # has to be shown as it is


def picture(number, size=64):
    """One that differs from every other."""
    return Image.fromarray(np.random.default_rng(number).integers(0, 256, (size, size, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def pairs():
    """Seven of two subjects; a picture's metadata names its arm."""
    found = []
    for index in range(7):
        drawn = {arm: picture(10 * index + side) for side, arm in enumerate(ARMS)}
        for arm, image in drawn.items():
            image.info["comment"] = arm
        found.append(Pair(f"pairname{index}", f"subject{index % 2}", PROMPT, (picture(1000),), drawn))
    return found


@pytest.fixture(scope="module")
def written(pairs, tmp_path_factory):
    """The page and the key."""
    return write_form(pairs, tmp_path_factory.mktemp("form"), seed=0)


@pytest.fixture
def key(written):
    return _read_key(written[1])


def answers_of(key, choose, raters=("ann", "bob"), questions=QUESTIONS):
    """Answers in which `choose(rater, row of the key, question)` is the arm, or 'cannot tell'."""
    rows = []
    for rater, (_, row), question in itertools.product(raters, key.iterrows(), questions):
        arm = choose(rater, row, question)
        side = UNSURE if arm == UNSURE else "A" if arm == row["A"] else "B"
        rows.append((row["form"], rater, row["item"], question, side))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def test_each_arm_is_a_equally_often_and_the_seed_decides_where(pairs):
    items = arrange(pairs, seed=0)
    assert {item.pair.name for item in items} == {pair.name for pair in pairs}
    for subject in ("subject0", "subject1"):
        firsts = [item.sides[0] == ARMS[0] for item in items if item.pair.subject == subject]
        assert abs(2 * sum(firsts) - len(firsts)) <= 1
    assert abs(2 * sum(item.sides[0] == ARMS[0] for item in items) - len(items)) <= 1
    assert all(set(item.sides) == set(ARMS) for item in items)

    def order(seed):
        return [(item.pair.name, item.sides) for item in arrange(pairs, seed=seed)]

    assert order(1) == order(1) != order(2)
    place = [
        item.sides[0] for seed in range(200) for item in arrange(pairs, seed=seed) if item.pair.name == "pairname0"
    ]
    assert 70 < place.count(ARMS[0]) < 130


def test_pairs_that_cannot_be_told_apart_later_are_refused(pairs):
    with pytest.raises(ValueError, match="at least one pair"):
        arrange([], seed=0)
    with pytest.raises(ValueError, match="'pairname0' twice"):
        arrange([pairs[0], pairs[0]], seed=0)
    other = Pair("other", "s", "p", (), {"x": picture(1), "y": picture(2)})
    with pytest.raises(ValueError, match="two arms, the same"):
        arrange([pairs[0], other], seed=0)


def test_the_page_does_not_tell_which_arm_is_which(written):
    text = written[0].read_text()
    for word in (*ARMS, "pairname", "subject0", "subject1", "key.csv", "case 1", "SID"):
        assert word not in text, word
    alts = [image["alt"] for image in BeautifulSoup(text, "html.parser").select(".sides img")]
    assert all(len(alt) > 40 for alt in alts) and len(set(alts)) == len(alts) == 14
    assert {re.sub(r"\d+|picture [AB]", "", alt) for alt in alts} == {"Pair , , to be compared with the other one"}


def test_the_page_shows_the_pictures_of_the_key_and_loads_nothing(pairs, written, key):
    page = BeautifulSoup(written[0].read_text(), "html.parser")
    by_name = {pair.name: pair for pair in pairs}
    for (_, row), section in zip(key.iterrows(), page.select("section"), strict=True):
        assert section.select_one(".asked").get_text().strip().endswith(PROMPT)
        shown = [_decoded(image["src"]) for image in section.select(".sides img")]
        wanted = [row["A"], next(arm for arm in ARMS if arm != row["A"])]
        assert shown == [by_name[row["pair"]].pictures[arm].tobytes() for arm in wanted]
        assert len(section.select("fieldset")) == len(section.select("legend")) == len(QUESTIONS)
    assert not page.select("link[rel=stylesheet], script[src], iframe")
    assert all(image["src"].startswith("data:image/") for image in page.select("img"))
    assert "default-src 'none'" in page.select_one("meta[http-equiv]")["content"]


def _decoded(url):
    return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).tobytes()


def test_photos_are_made_small_enough_and_equally(tmp_path):
    drawn = {arm: picture(index, 1024) for index, arm in enumerate(ARMS)}
    page, _ = write_form([Pair("p", "s", "x", (picture(3),), drawn)], tmp_path, seed=0)
    images = BeautifulSoup(page.read_text(), "html.parser").select(".sides img")
    assert [(image["width"], image["src"][:15]) for image in images] == [("640", "data:image/jpeg")] * 2


def test_a_key_is_never_written_over_by_that_of_another_form(pairs, tmp_path):
    page, key = write_form(pairs, tmp_path, seed=0)
    before = key.read_text(), page.read_text()
    write_form(pairs, tmp_path, seed=0)
    with pytest.raises(ValueError, match="another form"):
        write_form(pairs, tmp_path, seed=1)
    assert before == (key.read_text(), page.read_text())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["form.html", "key.csv"]


@pytest.fixture
def folder(tmp_path):
    """A folder of pairs, as somebody would make it by hand."""
    root = tmp_path / "mine"
    for name in (*ARMS, "references"):
        (root / name).mkdir(parents=True)
        for index in range(3):
            picture(index + len(name)).save(root / name / f"{index}.png")
    (root / "prompts.csv").write_text('file,prompt\n0.png,a dog on the moon\n2.png,"a dog, asleep"\n')
    return root


def test_a_folder_holds_pairs(folder):
    found = pairs_in(folder, *ARMS)
    assert [(pair.name, pair.prompt, len(pair.references)) for pair in found] == [
        ("0.png", "a dog on the moon", 3),
        ("2.png", "a dog, asleep", 3),
    ]
    assert list(found[0].pictures) == list(ARMS)
    assert set(pairs_in(folder)[0].pictures) == set(ARMS)  # there are no others


def test_what_a_folder_lacks_is_named(folder):
    with pytest.raises(ValueError, match="'sidarn'; did you mean 'sidarm'"):
        pairs_in(folder, ARMS[0], "sidarn")
    (folder / "third").mkdir()
    with pytest.raises(ValueError, match="say which"):
        pairs_in(folder)
    (folder / ARMS[1] / "2.png").unlink()
    with pytest.raises(ValueError, match=r"prompts.csv names 2.png: expected a picture .*sidarm/2.png"):
        pairs_in(folder, *ARMS)
    (folder / "prompts.csv").write_text("name,prompt\n")
    with pytest.raises(
        ValueError, match="prompts.csv: expected the columns file, prompt, separated by commas; found no file in"
    ):
        pairs_in(folder, *ARMS)
    (folder / "prompts.csv").write_text("file,prompt,subject\n0.png,x,cat\n")
    with pytest.raises(ValueError, match="reference pictures in .*cat"):
        pairs_in(folder, *ARMS)
    (folder / "prompts.csv").unlink()
    with pytest.raises(ValueError, match="prompts.csv: expected a file that can be read"):
        pairs_in(folder, *ARMS)
    with pytest.raises(ValueError, match="expected a folder"):
        pairs_in(folder / "nowhere")


def test_answers_come_back_as_the_arms_that_were_chosen(written, key, tmp_path):
    def choose(rater, row, question):
        return {"subject": ARMS[0], "surroundings": ARMS[1], "prompt": UNSURE}[question]

    told_ = answers_of(key, choose)
    files = [tmp_path / f"answers-{rater}.csv" for rater in ("ann", "bob")]
    for (_, rows), path in zip(told_.groupby("rater"), files):
        rows.to_csv(path, index=False, encoding="utf-8-sig")
    ratings = read_ratings(written[1], files)
    assert ratings.arms == ARMS and ratings.raters == ["ann", "bob"] and not ratings.simulated
    chosen = ratings.frame.groupby("question")["choice"].unique().map(list).to_dict()
    assert chosen == {"subject": [ARMS[0]], "surroundings": [ARMS[1]], "prompt": [UNSURE]}
    assert {"A", "B"} <= set(ratings.frame["answer"])


FAULTS = {
    "item": ("99", r"a.csv, line 3: item: unknown|line 3.*item.*'99'"),
    "question": ("subjekt", "line 3.*question.*did you mean 'subject'"),
    "answer": ("C", "line 3.*answer.*'C'"),
    "rater": ("", "line 3: expected the rater's code"),
    "form": ("0123456789ab", "line 3: expected answers to the form .*got one to '0123456789ab'"),
}


@pytest.mark.parametrize("column", FAULTS)
def test_a_row_that_the_form_cannot_have_saved_is_refused(written, key, tmp_path, column):
    value, message = FAULTS[column]
    told_ = answers_of(key, lambda *_: ARMS[0], raters=["ann"])
    told_.loc[1, column] = value
    told_.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(ValueError, match=message):
        read_ratings(written[1], [tmp_path / "a.csv"])


def test_files_that_do_not_go_together_are_refused(written, key, tmp_path):
    one, other = tmp_path / "a.csv", tmp_path / "b.csv"
    told_ = answers_of(key, lambda *_: ARMS[0], raters=["ann"])
    for path in (one, other):
        told_.to_csv(path, index=False)
    with pytest.raises(ValueError, match="rater 'ann': expected one file, got .*a.csv and .*b.csv"):
        read_ratings(written[1], [one, other])
    with pytest.raises(ValueError, match="rater 'ann': expected one file"):
        read_ratings(written[1], [one, one])
    pd.concat([told_, told_[:1]]).to_csv(other, index=False)
    with pytest.raises(ValueError, match="ann answers 'subject' of item 1 twice"):
        read_ratings(written[1], [other])
    told_.assign(rater="simulated-1").to_csv(other, index=False)
    with pytest.raises(ValueError, match="people or simulated raters, got both"):
        read_ratings(written[1], [one, other])
    other.write_text(",".join(COLUMNS) + "\n")
    with pytest.raises(ValueError, match="at least one row"):
        read_ratings(written[1], [other])
    with pytest.raises(ValueError, match="nowhere.csv: expected a file that can be read"):
        read_ratings(written[1], [tmp_path / "nowhere.csv"])
    with pytest.raises(ValueError, match="at least one file of answers"):
        read_ratings(written[1], [])


SPREADSHEETS = {  # what programs make of a CSV when they save it
    "semicolons": lambda text: text.replace(",", ";"),
    "tabs": lambda text: text.replace(",", "\t"),
    "spaces": lambda text: text.replace(",", " , "),
    "empty columns": lambda text: text.replace("\n", ",,,\n"),
    "empty rows": lambda text: text.replace("\n", "\n\n") + ",,,,\n  \n",
    "line ends of Windows": lambda text: text.replace("\n", "\r\n"),
    "line ends of an old Mac": lambda text: text.replace("\n", "\r"),
    "quotes": lambda text: "\n".join(",".join(f'"{cell}"' for cell in row.split(",")) for row in text.split()),
    "a mark before UTF-8": lambda text: "\ufeff" + text,
    "no last line end": str.rstrip,
    "a column of one's own": lambda text: text.replace("\n", ",a note\n").replace("a note", "note", 1),
    "a column of the key": lambda text: text.replace("\n", ",cat\n").replace("cat", "subject", 1),
}


@pytest.mark.parametrize("program", SPREADSHEETS)
def test_answers_are_read_as_spreadsheets_save_them(written, key, tmp_path, program):
    told_ = answers_of(key, lambda *_: ARMS[0], raters=["ann"])
    plain, saved = tmp_path / "a.csv", tmp_path / "b.csv"
    told_.to_csv(plain, index=False)
    saved.write_bytes(SPREADSHEETS[program](plain.read_text()).encode())
    frames = [read_ratings(written[1], [path]).frame for path in (plain, saved)]
    pd.testing.assert_frame_equal(*frames)


HEADER = ",".join(COLUMNS)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "a.csv: expected the columns form, .*, got an empty file"),
        (b"\n\n,,,\n", "got an empty file"),
        (HEADER.encode("utf-16"), "save it as UTF-8"),
        (f"{HEADER}\nf,Zo\xeb,1,subject,A".encode("latin-1"), "save it as UTF-8"),
        (f"{HEADER}\nf,ann,1".encode(), "a.csv, line 2: expected 5 cells, got 3"),
        (f"{HEADER}\n\nf,ann,1,subject,A,B".encode(), "a.csv, line 3: expected 5 cells, got 6"),
        (f'{HEADER}\nf,"ann,1,subject,A'.encode(), "a.csv, line 2: expected CSV, but unexpected end of data"),
        (f'{HEADER}\nf,"a"nn,1,subject,A'.encode(), "a.csv, line 2: expected CSV"),
        (f"{HEADER},form\nf,ann,1,subject,A,f".encode(), "expected each column once, got 'form' 2 times"),
        (b"PK\x03\x04\x14\x00\x06\x00xlsx", "got a spreadsheet's own file"),
        (b"<!DOCTYPE html><html></html>", "found no form, rater"),
        (b'{"answers": [1, 2]}', "found no form, rater"),
        (f"{HEADER}\nf,{'n' * 200_000},1,subject,A".encode(), "field larger than field limit"),
        (f"{HEADER}\nf,{'n' * 100_000},1,subject,A".encode(), "expected answers to the form"),
        (HEADER.encode(), "expected at least one row below"),
    ],
)
def test_a_file_that_is_no_such_table_is_one_line_with_its_name(written, tmp_path, data, message):
    (tmp_path / "a.csv").write_bytes(data)
    with pytest.raises(ValueError, match=message) as refusal:
        read_ratings(written[1], [tmp_path / "a.csv"])
    assert "\n" not in str(refusal.value) and len(str(refusal.value)) < 600


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"form", b'form,item\n"a', b"PK\x03\x04"])
def test_a_key_and_prompts_that_are_no_tables_are_one_line_with_their_name(pairs, folder, tmp_path, data):
    (tmp_path / "key.csv").write_bytes(data)
    (folder / "prompts.csv").write_bytes(data)
    for name, read in (
        ("key.csv", lambda: write_form(pairs, tmp_path, seed=0)),
        ("key.csv", lambda: read_ratings(tmp_path / "key.csv", [tmp_path / "key.csv"])),
        ("prompts.csv", lambda: pairs_in(folder)),
    ):
        with pytest.raises(ValueError, match=f"{name}[:,]") as refusal:
            read()
        assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("column", "value"),
    [("A", "nobody"), ("A", ""), ("first", "another"), ("second", "another")],
)
def test_a_key_with_an_arm_that_the_form_does_not_have_is_refused(written, key, tmp_path, column, value):
    changed = key.copy()
    changed.loc[changed.index[1], column] = value
    (tmp_path / "key.csv").write_text(changed.to_csv(index=False))
    with pytest.raises(ValueError, match=r"key.csv, line 3: expected the form's two arms, one of them as A"):
        read_ratings(tmp_path / "key.csv", [tmp_path / "none.csv"])


@pytest.mark.parametrize("name", ["a.xlsx", "a.numbers", "a.xls", "a.csv"])
@pytest.mark.parametrize("data", [b"PK\x03\x04\x14\0", b"\xd0\xcf\x11\xe0\xa1\xb1"])
def test_a_spreadsheet_s_own_file_is_told_with_what_to_do(written, tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=f"{name}: expected CSV, got a spreadsheet's own file; open it and save"):
        read_ratings(written[1], [tmp_path / name])


def test_no_spreadsheet_takes_a_form_s_name_for_a_number(key):
    assert key["form"].iloc[0][0].isalpha()


@pytest.mark.parametrize("name", ["../references/0.png", "/etc/passwd", "a/../../references/0.png"])
def test_a_picture_outside_of_the_folder_is_not_shown(folder, name):
    (folder / "prompts.csv").write_text(f"file,prompt\n{name},x\n")
    with pytest.raises(ValueError, match="prompts.csv: expected the name of a picture in"):
        pairs_in(folder)


def test_a_key_that_was_changed_is_refused(key, tmp_path):
    pd.concat([key, key]).to_csv(tmp_path / "key.csv", index=False)
    with pytest.raises(ValueError, match="the key of one form"):
        _read_key(tmp_path / "key.csv")


# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), sections A and C; "." is missing.
TWO = ("0100000010", "1110010000")
FOUR = ("123321412...", "12332241 25.3".replace(" ", ""), ".33323422 51.".replace(" ", ""), "12332441251.")


def alpha_of(answers):
    """Of a table with a row a unit and a column a rater."""
    return _alpha(_value_counts(answers))


@pytest.mark.parametrize(("observers", "alpha"), [(TWO, 0.095), (FOUR, 0.743)])
def test_alpha_is_that_of_the_published_examples(observers, alpha):
    table = pd.DataFrame([[None if value == "." else value for value in row] for row in observers]).T
    assert alpha_of(table) == pytest.approx(alpha, abs=5e-4)


def test_alpha_at_its_ends():
    assert alpha_of(pd.DataFrame({"a": list("ABAB"), "b": list("ABAB")})) == 1
    assert alpha_of(pd.DataFrame({"a": list("ABAB"), "b": list("BABA")})) < -0.5


def test_shares_and_their_intervals_are_those_of_the_answers(key):
    def choose(rater, row, question):
        if question == "prompt":
            return UNSURE
        return ARMS[0] if question == "subject" and row["item"] in ("1", "2") else ARMS[1]

    found = preferences(decoded(key, answers_of(key, choose)), seed=0)
    first, second, unsure = (found.loc["subject", name] for name in (*ARMS, UNSURE))
    assert (first.mean, second.mean, unsure) == (pytest.approx(2 / 7), pytest.approx(5 / 7), Interval(0, 0, 0))
    assert 0 <= first.low < 2 / 7 < first.high <= 1
    assert found.loc["subject", "difference"].mean == pytest.approx(3 / 7)
    assert found.loc["surroundings", ARMS[1]] == Interval(1, 1, 1)
    assert found.loc["prompt", UNSURE] == Interval(1, 1, 1) and found.loc["prompt", "difference"].mean == 0
    assert str(preferences(decoded(key, answers_of(key, choose)), seed=0)) == str(found)


def test_an_interval_knows_of_raters_and_of_pairs():
    """Where only raters differ it is as wide as their number makes it, and likewise of pairs."""
    key = pd.DataFrame(
        [("f", str(i), f"p{i}", "s", "x", *ARMS, ARMS[i % 2]) for i in range(16)],
        columns=["form", "item", "pair", "subject", "prompt", "first", "second", "A"],
    )
    raters = [f"r{index}" for index in range(16)]
    by_rater = answers_of(key, lambda rater, row, q: ARMS[int(rater[1:]) % 2], raters, ["subject"])
    by_pair = answers_of(key, lambda rater, row, q: ARMS[int(row["item"]) // 2 % 2], raters, ["subject"])
    for told_ in (by_rater, by_pair):
        share = preferences(decoded(key, told_), seed=0).loc["subject", ARMS[0]]
        assert share.mean == 0.5
        assert share.high - share.low == pytest.approx(2 * 1.96 * 0.5 / 4, abs=0.07)


def test_of_one_answer_the_interval_is_unknown(key):
    told_ = answers_of(key[:1], lambda *_: ARMS[0], raters=["ann"])
    ratings = decoded(key, told_)
    assert not preferences(ratings, seed=0).loc["subject", ARMS[0]].known
    assert "100 % [unknown]" in reading_table(ratings, seed=0).iloc[0].to_list()
    assert "36 answers missing, which counts for nobody." not in notes(ratings)
    assert any(line.startswith("18 answers missing") for line in notes(ratings))


def test_agreement_that_cannot_be_told_is_told_in_words(key):
    def agreed(choose, **options):
        return agreement(decoded(key, answers_of(key, choose, **options)), "subject", seed=0)

    assert agreed(lambda *_: ARMS[0], raters=["ann"]) == "one rater: nobody to agree with"
    assert agreed(lambda *_: UNSURE) == "everybody always answered 'cannot tell': agreement or habit"
    assert agreed(lambda rater, row, _: row["A"]) == "everybody always answered 'A': agreement or habit"
    apart = answers_of(key, lambda *_: ARMS[0])
    apart = apart[(apart["rater"] == "ann") == (apart["item"] == "1")]
    assert agreement(decoded(key, apart), "subject", seed=0) == "no pair was answered by two raters"
    # All prefer one arm: the sides, which differ, show that they looked.
    assert agreed(lambda *_: ARMS[0]).mean == 1
    unsure = notes(decoded(key, answers_of(key, lambda *_: UNSURE)))
    assert "Every answer is 'cannot tell': nobody saw a difference, or nobody looked." in unsure


def differences_of(key, value):
    return pd.DataFrame(value, index=list(key["pair"]), columns=list(QUESTIONS))


def test_simulated_raters_answer_what_was_measured(key):
    measured = differences_of(key, 1.0)
    sure = decoded(key, simulated(key, measured, noise=0, seed=0))
    assert sure.simulated and set(sure.frame["choice"]) == {ARMS[1]} and len(sure.raters) == 5
    assert all(name.startswith("simulated-") for name in sure.raters)
    assert set(decoded(key, simulated(key, -measured, noise=0, seed=0)).frame["choice"]) == {ARMS[0]}
    assert set(decoded(key, simulated(key, 0 * measured, noise=0, seed=0)).frame["choice"]) == {UNSURE}
    assert set(decoded(key, simulated(key, np.nan * measured, noise=0, seed=0)).frame["choice"]) == {UNSURE}
    assert notes(sure)[0] == NOBODY


def test_simulated_raters_are_noisy_by_their_seed(key):
    measured = differences_of(key, 1.0)
    one, same, other = (simulated(key, measured, noise=1, seed=seed) for seed in (0, 0, 1))
    assert one.equals(same) and not one.equals(other)
    assert set(decoded(key, one).frame["choice"]) == {*ARMS, UNSURE}
    few = agreement(decoded(key, simulated(key, measured, noise=0.1, seed=0)), "subject", seed=0)
    many = agreement(decoded(key, simulated(key, measured, noise=10, seed=0)), "subject", seed=0)
    assert many.mean < 0.4 < few.mean
    assert many.low < many.mean < many.high <= 1 and few.low <= few.mean <= few.high
    with pytest.raises(ValueError, match="a difference for each question and pair, none for {'prompt'}"):
        simulated(key, measured.drop(columns="prompt"), seed=0)


def test_pairs_come_from_a_study(tiny_weights, tmp_path, monkeypatch):
    monkeypatch.setattr("sidkit.config.WEIGHTS", tiny_weights)
    study = run_study(
        make_plan("smoke", subjects=["dog", "cat"], cases=[1, 3], pictures=2), Runs(tmp_path), progress=False
    )
    arms = [arm.name for arm in study.plan.arms]
    found = rating.pairs_of(study, *arms, 6, 0)
    assert sorted(pair.subject.partition("-")[0] for pair in found) == ["cat"] * 3 + ["dog"] * 3
    assert len(rating.pairs_of(study, *arms, 99, 0)) == 2 * 4 * 2
    assert not any("[v]" in pair.prompt for pair in found)
    measured = rating.differences(study, found)
    for pair in found:
        prompt, turn = map(int, pair.name.split("/")[1:])
        rows = study.frame[study.frame["subject"] == pair.subject].set_index("arm")
        rows = rows[rows["prompt"] == study.prompts[pair.subject][prompt].text]
        rows = rows[rows["seed"] == turn]
        assert measured.loc[pair.name, "prompt"] == pytest.approx(rows.loc[arms[1], "TA"] - rows.loc[arms[0], "TA"])
        for arm in arms:
            assert pair.pictures[arm].tobytes() == study.picture(pair.subject, arm, prompt, turn).tobytes()
    ratings = rating.simulated_ratings(study, found, raters=3, noise=0.5, seed=0)
    assert ratings.simulated and len(ratings.frame) == 3 * 6 * 3
    assert list(rating.table(ratings, seed=0)["Share of answers"])[:3] == [*arms, UNSURE]
    titles, rows, _ = rating.example(found[0], seed=0)
    assert found[0].prompt in titles[1] and [len(row) for row in rows] == [2, 2]
    assert not any(arm in title for arm in arms for title in titles)
    with pytest.raises(ValueError, match="arm"):
        rating.pairs_of(study, arms[0], "nobody", 6, 0)
    with pytest.raises(ValueError, match="at least 1"):
        rating.pairs_of(study, *arms, 0, 0)


def test_the_commands_make_a_form_and_read_it(monkeypatch, capsys, folder, tmp_path):
    out = tmp_path / "out"
    code, printed, _ = call(monkeypatch, capsys, "raters", "form", folder, "--first", ARMS[0], "--second", ARMS[1],
                            "--out", out)  # fmt: skip
    assert (code, printed) == (0, f"{out / 'form.html'}\n{out / 'key.csv'}\n")
    key = _read_key(out / "key.csv")
    measured = differences_of(key, 1.0)
    simulated(key, measured, raters=2, noise=0, seed=0).to_csv(tmp_path / "a.csv", index=False)
    code, printed, _ = call(monkeypatch, capsys, "raters", "read", out / "key.csv", tmp_path / "a.csv")
    assert code == 0 and NOBODY in printed and QUESTIONS["subject"] in printed
    assert re.search(r"sidarm +100 % \[100, 100\]", printed) and re.search(r"Agreement +1.00", printed)
    code, printed, _ = call(monkeypatch, capsys, "raters", "read", out / "key.csv", tmp_path / "a.csv", "--csv")
    assert code == 0 and printed.startswith("rater,item,question,answer,choice,subject\nsimulated-1,1,subject,")
    code, _, told_ = call(monkeypatch, capsys, "raters", "read", out / "key.csv", tmp_path / "b.csv")
    assert code == 2 and told_.startswith(f"error: {tmp_path / 'b.csv'}: expected a file that can be read")


@pytest.fixture(scope="module")
def page():
    with Browser() as browser:
        yield browser


needs_browser = pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine")


def press(page, key, text=""):
    """A key goes down and up; Space and Enter do what they do only with the text that they type."""
    code = {"Tab": 9, " ": 32, "Enter": 13, "ArrowRight": 39}[key]
    for kind in ("keyDown", "keyUp"):
        typed = {"text": text} if text and kind == "keyDown" else {}
        page.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **typed)


FOCUS = "document.activeElement.name || document.activeElement.id || document.activeElement.textContent.trim()"
COUNT = "document.getElementById('count').textContent"


@pytest.mark.slow
@needs_browser
def test_the_form_is_filled_in_by_keyboard_and_read_again(page, written, key, tmp_path):
    page.ask("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    address = written[0].as_uri()
    assert not page.open(address)
    assert page.run(COUNT) == "0 of 21 answered"
    press(page, "Tab")
    assert page.run(FOCUS) == "rater"
    page.ask("Input.insertText", text="ann")
    wanted = {}
    for place, (item, question) in enumerate(itertools.product(key["item"], QUESTIONS)):
        press(page, "Tab")
        assert page.run(FOCUS) == f"{item}/{question}"
        press(page, " ", " ")
        for _ in range(place % 3):
            press(page, "ArrowRight")
        wanted[item, question] = ANSWERS[place % 3]
    assert page.run(COUNT) == "21 of 21 answered"
    assert not page.open(address), "a second time"  # what was answered is still there
    assert page.run(COUNT) == "21 of 21 answered" and page.run("rater.value") == "ann"
    page.run("document.querySelector('button[type=submit]').focus()")
    press(page, "Enter", "\r")
    saved = tmp_path / "answers-ann.csv"
    page.run("new Promise(done => setTimeout(done, 1000))")
    assert "Saved 21 of 21 answers as answers-ann.csv" in page.run("document.getElementById('said').textContent")
    frame = read_ratings(written[1], [saved]).frame
    assert dict(zip(zip(frame["item"], frame["question"]), frame["answer"])) == wanted


@pytest.mark.slow
@needs_browser
def test_the_form_says_what_is_missing(page, written, tmp_path):
    page.ask("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.open(written[0].as_uri())
    page.run("localStorage.clear()")
    page.open(written[0].as_uri())
    page.run("document.querySelector('button[type=submit]').click()")
    assert page.run(FOCUS) == "rater" and not page.run("document.getElementById('said').textContent")
    for code in ("Simulated-1", "ann lee", "a,b"):
        page.run(f"rater.value = {code!r}; rater.dispatchEvent(new Event('input', {{bubbles: true}}))")
        assert not page.run("form.checkValidity()"), code
    page.run("rater.value = 'bob'; rater.dispatchEvent(new Event('input', {bubbles: true}))")
    page.run("form.elements['1/subject'][0].click()")
    page.run("document.querySelector('button[type=submit]').click()")
    page.run("new Promise(done => setTimeout(done, 500))")
    assert "Saved 1 of 21 answers" in page.run("document.getElementById('said').textContent")
    page.run("document.querySelector('#said a').click()")
    assert page.run(FOCUS) == "1/surroundings"
    assert len(read_ratings(written[1], [tmp_path / "answers-bob.csv"]).frame) == 1


@pytest.mark.slow
@needs_browser
def test_the_form_fits_a_phone_and_has_no_fault_that_axe_finds(page, written):
    axe = pytest.importorskip("axe_core_python.base", reason="axe-core-python is not installed")
    page.open(written[0].as_uri(), width=375, height=700, mobile=True)
    assert page.run("document.documentElement.scrollWidth") <= 375
    page.run(axe.AXE_SCRIPT + ";0")
    faults = page.run("axe.run().then(told => told.violations.map(one => one.id + ': ' + one.nodes[0].html))")
    assert not faults
