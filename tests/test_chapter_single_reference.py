"""The study of one reference: what is run, what is shared with other chapters, and what is said of points."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sidkit.chapters import biases, methods, single_reference
from sidkit.runs import Runs, fingerprint
from sidkit.study import recipes
from sidkit.study.cells import cells_of
from sidkit.study.plan import Stickers
from sidkit.study.run import subjects_of


def test_a_scale_has_its_arms_and_never_more_than_one_reference():
    (quick,) = single_reference.plans("quick").values()
    assert [arm.name for arm in quick.arms] == ["DreamBooth", "DreamBooth + SID", "Encoder"]
    assert quick.arms[-1].method == "encoder:stickers" and quick.references == 1
    assert quick.subjects == (Stickers("cat", ("pose",)), Stickers("robot", ("nearby", "tied")))
    (full,) = single_reference.plans("full").values()
    assert len(full.arms) == 7 and len(full.subjects) == 4


@pytest.mark.parametrize(("scale", "most"), [("smoke", 0), ("quick", 3), ("full", 40)])
def test_few_personalizations_are_not_those_of_the_chapter_on_biases(scale, most, tmp_path):
    """Counted by what the run store calls them."""
    runs = Runs(tmp_path)

    def trained(plan):
        cells = cells_of(plan, subjects_of(plan, runs))
        return {fingerprint(recipes.trained(plan, cell)) for cell in cells.values() if cell.arm in plan.trained}

    ours = trained(single_reference.plans(scale)["single"])
    known = trained(biases.plans(scale, biases=["pose"])["pose"])
    assert ours & known
    assert len(ours - known) <= most


def test_photos_are_shown_to_ip_adapter():
    (plan,) = single_reference.plans("smoke", profile="sd15", subjects=["dog"]).values()
    assert plan.arms[-1].method == "encoder:ip_adapter"
    with pytest.raises(ValueError, match="unknown encoder 'elit'; did you mean 'elite'"):
        single_reference.plans("smoke", encoder="elit")
    with pytest.raises(ValueError, match="unknown method 'dreambooht'"):
        single_reference.plans("smoke", methods=["dreambooht"])


def test_of_photos_without_masks_only_what_is_measured_is_told():
    """A frame as such a study has it: neither SA nor NSD."""
    rows = [
        {"subject": "s", "prompt": prompt, "seed": 0, "arm": arm, "TA": text_alignment}
        for arm, text_alignment in (("A", 0.1), ("A + SID", 0.3), ("Encoder", 0.2))
        for prompt in ("p", "q")
    ]
    frame = pd.DataFrame(rows).assign(SA=np.nan, NSD=np.nan)
    points = methods.points(frame, seed=0)
    assert list(points) == ["TA", "TA low", "TA high"]
    assert single_reference.ahead_sentence(points, ["Encoder"]) == "Every model with SID is ahead of Encoder on TA."
    assert "SA was not measured" in methods.front_sentence(points, "TA", "SA")
    study = SimpleNamespace(frame=frame)
    assert single_reference._change_in_subject(study, seed=0) == "not measured, for want of masks"


def test_an_encoder_that_is_ahead_is_named():
    rows = {"A": (0.5, 0.5, 0.5), "A + SID": (0.7, 0.7, 0.7), "Encoder": (0.6, 0.8, 0.1)}
    points = pd.DataFrame.from_dict(rows, orient="index", columns=["SA", "NSD", "TA"])
    ahead = "Not every model with SID is ahead everywhere: on NSD Encoder (0.8000) is ahead of A + SID (0.7000)."
    assert single_reference.ahead_sentence(points, ["Encoder"]) == ahead
    points.loc["Encoder", "NSD"] = 0.6
    nobody = "Every model with SID is ahead of Encoder on SA, NSD and TA."
    assert single_reference.ahead_sentence(points, ["Encoder"]) == nobody


def test_the_paper_s_own_points_do_not_strictly_say_what_its_text_says():
    """As facts/paper.md found: ELITE's NSD and SA, and SVDiff without SID that none beats in the plane of SA."""
    paper = methods.paper_points(9)
    ahead = single_reference.ahead_sentence(paper, single_reference.PAPER_ENCODERS)
    assert "on NSD ELITE (0.3214) is ahead of DreamBooth + SID (0.3206) and Custom Diffusion + SID (0.3129)" in ahead
    assert "on SA ELITE (0.7281) is ahead of DreamBooth + SID (0.7274) and SVDiff + SID (0.7217)" in ahead
    assert "on TA" not in ahead
    assert methods.front_sentence(paper, "TA", "NSD").endswith("all use SID.")
    assert methods.front_sentence(paper, "TA", "SA").endswith("of these, SVDiff without SID.")


def test_claims_are_beside_the_baseline_and_beside_the_encoder():
    (plan,) = single_reference.plans("full").values()
    claims = single_reference.claims_of(plan)
    assert len(claims) == 3 * (len(single_reference.BESIDE_USUAL) + len(single_reference.BESIDE_ENCODER))
    assert {claim.against for claim in claims} == {"DreamBooth", "Custom Diffusion", "SVDiff", "Encoder"}
    assert all(claim.case.endswith(" + SID") and claim.by == "arm" for claim in claims)
    assert claims[0].words == "DreamBooth: SID moves pictures away from the reference's surroundings"


def test_what_leaks_is_told_of_what_is_known():
    frame = pd.DataFrame({"subject": "s", "prompt": ["p", "q"] * 2, "seed": 0, "arm": ["A", "A", "B", "B"]})
    frame = frame.assign(leak_pose=[1.0, 0.0, 0.0, 0.0], leak_tied=float("nan"))
    table = single_reference.leaks_table(frame, seed=0)
    assert list(table["Leaks"]) == ["pose"] and table["A"][0].startswith("50 %") and table["B"][0].startswith("0 %")
    assert single_reference.leaks_table(frame.drop(columns=["leak_pose"]), seed=0).empty
