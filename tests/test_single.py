"""The study of one reference: what is run, what is shared with other chapters, and what is said of points."""

import pandas as pd
import pytest

from sidkit.chapters import methods
from sidkit.chapters import single_reference as single
from sidkit.chapters.biases import make_plans
from sidkit.runs import Runs, fingerprint
from sidkit.study.pieces import Workshop, sticker_subject
from sidkit.study.plan import Stickers
from sidkit.study.run import captions_of


def test_a_scale_has_its_arms_and_never_more_than_one_reference():
    quick = single.make_single("quick", profile="stickers")
    assert [arm.name for arm in quick.arms] == ["DreamBooth", "DreamBooth + SID", "Encoder"]
    assert quick.arms[-1].method == "encoder:stickers" and quick.references == 1
    assert quick.subjects == (Stickers("cat", ("pose",)), Stickers("robot", ("nearby", "tied")))
    full = single.make_single("full", profile="stickers")
    assert len(full.arms) == 7 and len(full.subjects) == 4


@pytest.mark.parametrize(("scale", "most"), [("smoke", 0), ("quick", 3), ("full", 40)])
def test_few_personalizations_are_not_those_of_the_chapter_on_biases(scale, most, tmp_path):
    """Counted by what the run store calls them."""
    runs = Runs(tmp_path)

    def trained(plan):
        subjects = [sticker_subject(wanted, plan, runs) for wanted in plan.subjects]
        workshop = Workshop(plan, runs, None)
        pairs = [(subject, arm) for subject in subjects for arm in plan.trained]
        return {fingerprint(workshop._training(*pair, captions_of(*pair))) for pair in pairs}

    ours = trained(single.make_single(scale, profile="stickers"))
    known = trained(make_plans(scale, biases=["pose"])["pose"])
    assert ours & known
    assert len(ours - known) <= most


def test_photos_are_shown_to_ip_adapter(tmp_path):
    plan = single.make_single("smoke", profile="sd15", subjects=["dog"])
    assert plan.arms[-1].method == "encoder:ip_adapter"
    with pytest.raises(ValueError, match="unknown encoder 'elit'; did you mean 'elite'"):
        single.make_single("smoke", profile="stickers", encoder="elit")
    with pytest.raises(ValueError, match="unknown method 'dreambooht'"):
        single.make_single("smoke", profile="stickers", methods=["dreambooht"])


def test_an_encoder_that_is_ahead_is_named():
    rows = {"A": (0.5, 0.5, 0.5), "A + SID": (0.7, 0.7, 0.7), "Encoder": (0.6, 0.8, 0.1)}
    found = pd.DataFrame.from_dict(rows, orient="index", columns=["SA", "NSD", "TA"])
    told = single.ahead_told(found, ["Encoder"])
    assert told == "Not every model with SID is ahead everywhere: on NSD Encoder (0.8000) is ahead of A + SID (0.7000)."
    found.loc["Encoder", "NSD"] = 0.6
    assert single.ahead_told(found, ["Encoder"]) == "Every model with SID is ahead of Encoder on SA, NSD and TA."


def test_the_paper_s_own_points_do_not_strictly_say_what_its_text_says():
    """As facts/paper.md found: ELITE's NSD and SA, and SVDiff without SID that none beats in the plane of SA."""
    paper = methods.paper_points(9)
    told = single.ahead_told(paper, single.PAPER_SHOWN)
    assert "on NSD ELITE (0.3214) is ahead of DreamBooth + SID (0.3206) and Custom Diffusion + SID (0.3129)" in told
    assert "on SA ELITE (0.7281) is ahead of DreamBooth + SID (0.7274) and SVDiff + SID (0.7217)" in told
    assert "on TA" not in told
    fronts = single.fronts_told(paper)
    assert fronts["NSD"].endswith("all use SID.") and fronts["SA"].endswith("of these, SVDiff without SID.")


def test_claims_are_beside_the_baseline_and_beside_the_encoder():
    class Study:
        plan = single.make_single("full", profile="stickers")

    found = single.claims(Study)
    assert len(found) == 3 * (len(single.WITH_SID) + len(single.BESIDE))
    assert {claim.against for claim in found} == {"DreamBooth", "Custom Diffusion", "SVDiff", "Encoder"}
    assert all(claim.case.endswith(" + SID") and claim.by == "arm" for claim in found)
