"""A small book, built without executing anything: two times the same pages, of somebody's words and of hostile ones."""

import base64
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pandas as pd
from conftest import results_of
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from odd_texts import HARMLESS, HOSTILE, LIVE
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook
from PIL import Image
from test_caption_truth import SCENE

from sidkit.captions import SID_CASE
from sidkit.chapters import biases, introduction, limits, your_images
from sidkit.check.check import Finding
from sidkit.describe.kept import Kept, Written, write_kept
from sidkit.mark import MARK
from sidkit.markdown import printable
from sidkit.measure import caption_truth
from sidkit.new import make_new
from sidkit.raters.form import KEY_COLUMNS
from sidkit.raters.questions import QUESTIONS
from sidkit.raters.ratings import COLUMNS, read_ratings
from sidkit.runs import Runs
from sidkit.study import ledger, rater_pairs, tables
from sidkit.study.cells import cells_of
from sidkit.study.claims import Statement
from sidkit.study.plan import make_plan
from sidkit.study.run import Study, subjects_of

ROOT = Path(__file__).parents[1]
PICTURE = base64.b64encode((ROOT / "book" / "_static" / "front.png").read_bytes()).decode()
JUPYTER_BOOK = (sys.executable, "-c", "from jupyter_book.cli.main import main; main()")
SECRET = "a secret that no page may have"
KERNEL = {"kernel_name": "python3", "language": "python"}
CHAPTER = "02_description_cases"  # which the ledger's tables link to
PARTS = ("_config.yml", "book/_ext", "book/_static", "book/references.bib", "book/bibliography.md")
PROFILE = """pipeline: {model}
resolution: 64
training: {{dreambooth: {{steps: 1, learning_rate: 1.0e-5}}}}
sampling: {{steps: 2, guidance: 2.0}}
encoders: {{image_text: "embedded:image_text", identity: "embedded:identity"}}
"""


@dataclass(frozen=True)
class Source:
    """What somebody brings: their words, the names of their folder, class and profile, what their machine is called."""

    texts: tuple[str, ...]
    folder: str
    class_word: str
    profile: str
    machine: str

    @property
    def written(self) -> list[str]:
        """The words that can follow "a [v] cat" in a file of captions."""
        return [text for text in self.texts if MARK not in text and (text.isprintable() or "\n" in text)]


MINE = Source(tuple(f"words\n{number}" for number in range(len(HOSTILE + HARMLESS))), "my cat", "cat", "mine", "cpu")
THEIRS = Source(
    (*HOSTILE, *HARMLESS),
    f"we<img src=x onerror={LIVE}>ird ` {{download}}`a` ` [v] $a$ | &lt; yours-",
    f"c<svg onload={LIVE}>at` {{download}}`..` `",
    f"m`<img src=x onerror={LIVE}>` {{glue:md}}`claims`",
    f"gpu ` <img src=x onerror={LIVE}> `",
)


def study_of(folder, source):
    """A study of a folder of pictures, a picture a text, as if it had been run."""
    pictures = folder / "photos" / source.folder
    pictures.mkdir(parents=True)
    captions = {}
    for number, text in enumerate(source.written):
        file = f"{number:02} {text.replace('/', ':')}.png"
        Image.new("RGB", (32, 32), (3 * number, 90, 90)).save(pictures / file)
        captions[file] = f"a [v] {source.class_word} {text}"
    written = {"class_word": source.class_word, "bias": ["nearby"], "captions": captions}
    (pictures / "captions.json").write_text(json.dumps(written))
    by_a_server = {file: Written(by=source.machine, captions={SID_CASE: text}) for file, text in captions.items()}
    write_kept(pictures, Kept(wrote=by_a_server))
    profile = folder / f"{source.profile}.yaml"
    profile.write_text(PROFILE.format(model=json.dumps(source.machine)))
    plan = make_plan("smoke", subjects=[str(pictures)], arms=your_images.ARMS, profile=str(profile))
    cells = cells_of(plan, subjects_of(plan, Runs(folder / "runs")))
    record = {"libraries": {"torch": source.machine}, "python": "3.11", "device": source.machine}
    record |= {"commit": source.machine, "started": "2026-01-01", "seconds": 1}
    folders = {}
    for number, key in enumerate(cells):
        folders[key] = folder / f"run{number}"
        folders[key].mkdir()
        (folders[key] / "run.json").write_text(json.dumps(record))
    return Study(plan, cells, folders, frame_of(cells), drift=pd.DataFrame(), workshop=None)


def frame_of(cells):
    """Two pictures of each prompt, measured."""
    rows = []
    for (subject, arm), cell in cells.items():
        for prompt in cell.prompts:
            names = {"subject": subject, "arm": arm, "case": cell.arm.case, "prompt": prompt.text}
            rows += [{**names, "seed": seed, "leakage": None, "TA": 0.5 + 0.1 * seed} for seed in (0, 1)]
    return pd.DataFrame(rows)


def own_page(study, source, root):
    """The chapter that `sidkit new` makes of the folder, as if its notebook had been executed."""
    (subject,) = study.subjects.values()
    options = dict(profile="stickers", scale="smoke", root=root)
    written = make_new(subject.folder, source.class_word, ["nearby"], **options)
    notebook = next(path for path in written if path.suffix == ".ipynb")
    results = results_of(your_images, {"own": study}, folder=str(subject.folder), class_word=source.class_word)
    faults = [Finding(text, "looks", "fault", text, text, text) for text in source.texts]
    results.__dict__["findings"] = your_images.Findings(subject, faults)  # instead of what the checker finds in each
    made = parameterize_notebook(load_notebook_node(str(notebook)), {"prompts": source.written}, **KERNEL)
    nbformat.validate(made)
    for cell in made.cells:
        if cell.cell_type == "code" and "results.glue()" in cell.source:
            cell.outputs = glued(results)
        elif cell.cell_type == "code" and "run(" in cell.source:
            cell.outputs = [new_output("stream", text="\n".join(map(printable, source.texts)))]
        elif "mystnb" in cell.metadata:
            cell.outputs = [new_output("display_data", data={"image/png": PICTURE})]
    return notebook.stem, made


def glued(results):
    """The outputs of a cell that calls `results.glue()`."""
    InteractiveShell.instance()
    with capture_output() as captured:
        results.glue()
    return [new_output("display_data", data=one.data, metadata=one.metadata) for one in captured.outputs]


def doors_page(study, source):
    """A page of what other chapters show, from the same words."""
    results = results_of(doors_of(source), {"cases": study, "nearby": study})
    listed = [f"- {{glue:text}}`text_{number}`" for number in range(len(source.texts))]
    shown = [table_of(name) for name in results.tables]
    sentences = [f"{{glue:md}}`{name}`" for name in ("usual_caption", "sid_caption", "headline")]
    sentences += [f"{{glue:text}}`{name}`" for name in ("first_name", "company", "asked", "image_text", "reach")]
    text = "\n\n".join(["# Doors", "\n".join(listed), *sentences, *shown, "```{glue:md} passport\n:format: myst\n```"])
    cells = [new_code_cell("", outputs=glued(results), metadata={"tags": ["remove-cell"]}), new_markdown_cell(text)]
    return new_notebook(cells=cells)


def table_of(name):
    block = f"```{{glue:md}} {name}\n:format: myst\n```"
    return f":::{{table}} Of {{glue:text}}`first_name`.\n\n{block}\n:::"


def rated_by(source, study):
    """What raters answered, as it is read from their files."""
    arms = source.texts[1], source.texts[0]
    key = pd.DataFrame([("f", "1", "pair", source.folder, source.machine, *arms, arms[0])], columns=list(KEY_COLUMNS))
    answers = pd.DataFrame([("f", source.profile, "1", name, "A") for name in QUESTIONS], columns=list(COLUMNS))
    place = next(iter(study.folders.values()))
    key.to_csv(place / "key.csv", index=False)
    answers.to_csv(place / "answers.csv", index=False)
    return read_ratings(place / "key.csv", [place / "answers.csv"])


def doors_of(source):
    """A chapter that shows what all others do, of words from outside."""

    def shown(results):
        study = results.main
        (subject,) = study.subjects.values()
        test = {"measure": source.machine, "word": "reproduced", "difference": None}
        rows = [{"words": text, "source": text, **test} for text in source.texts]
        statement = Statement(source.machine, source.machine)
        untried = {statement: source.machine}
        measured = pd.concat(study.frame[:2].assign(arm=text) for text in source.texts)
        return {
            "cases": tables.captions_table(subject),
            "biases": biases.captions({"nearby": study}),
            "limits": limits.captions(study),
            "arms": tables.arms_table(measured, seed=0),
            "arms-as-titles": tables.arms_table(measured, seed=0).set_index("Arm").T,
            "said": pd.DataFrame({"said": [caption_truth.coloured(text, SCENE) for text in source.texts]}),
            "tests": ledger.tests_table({CHAPTER: rows}),
            "statements": ledger.statements_table({CHAPTER: rows}, {CHAPTER: statement}, untried),
            "rated": rater_pairs.table(rated_by(source, study), seed=0),
            "texts": pd.DataFrame({"text": list(source.texts)}),
        }

    def values(results):
        texts = {f"text_{number}": text for number, text in enumerate(source.texts)}
        return texts | introduction.values(results)

    return SimpleNamespace(NAME="doors", claims=lambda results: [], tables=shown, values=values)


def build(root, folder):
    """Build the book of both into a folder; the names of its pages by whose words they have."""
    _copy_what_a_book_needs(root)
    _write_beside_it(root)
    pages = {}
    for whose, source in (("mine", MINE), ("theirs", THEIRS)):
        study = study_of(folder / whose, source)
        name, own = own_page(study, source, root)
        pages[whose] = {"own": name, "doors": f"doors_{whose}"}
        nbformat.write(own, root / "book" / "chapters" / f"{name}.ipynb")
        nbformat.write(doors_page(study, source), root / "book" / "chapters" / f"doors_{whose}.ipynb")
    command = [*JUPYTER_BOOK, "build", str(root), "-n", "-W", "--keep-going"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-6000:]
    return pages


def _copy_what_a_book_needs(root):
    for part in PARTS:
        (root / part).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / part).is_dir() else shutil.copy)(ROOT / part, root / part)
    (root / "notebooks").mkdir()
    (root / "book" / "chapters").mkdir()
    (root / "book" / "start.md").write_text("# Start\n\nSee {cite}`kim2024sid`.\n")
    (root / "book" / "how_to.md").write_text("# How to\n\nNothing.\n")
    linked = new_notebook(cells=[new_markdown_cell("# Cases\n\nNothing.")])
    nbformat.write(linked, root / "book" / "chapters" / f"{CHAPTER}.ipynb")
    (root / "_toc.yml").write_text(TOC)


def _write_beside_it(root):
    """Files that words in the book name, and that no book may have."""
    for outside in (root, root.parent, root.parent.parent):
        (outside / "secret.txt").write_text(SECRET)
        (outside / "secret.png").write_text(SECRET)


TOC = """\
format: jb-book
root: book/start
parts:
  - caption: Doors
    chapters:
      - file: book/bibliography
      - file: book/how_to
      - file: book/chapters/02_description_cases
      - file: book/chapters/doors_mine
      - file: book/chapters/doors_theirs
"""
