"""Captions say what was asked for and nothing else, and the parser reads exactly that back."""

import numpy as np
import pytest

from sidkit.stickers import grammar, vocabulary
from sidkit.stickers.atlas import designs
from sidkit.stickers.drawing_words import looks
from sidkit.stickers.factors import (
    ATTRIBUTES,
    HUES,
    NEARBY,
    OBJECT_COLORS,
    PLACES,
    POSES,
    STYLES,
    TEST_STYLES,
    TIED,
    Scene,
    subject_classes,
)

FULL = Scene(
    "dog",
    "noto",
    "kitchen",
    "mint",
    nearby="balloon",
    nearby_color="blue",
    tied="scarf",
    tied_color="red",
    style="neon",
    pose="lying",
)


def random_scene(rng):
    def pick(values):
        return values[int(rng.integers(len(values)))]

    subject, background = pick(list(subject_classes())), pick(list(PLACES))
    return Scene(
        subject,
        pick(designs(subject)),
        background,
        pick(PLACES[background]),
        hue=pick(HUES),
        attribute=pick((None, *ATTRIBUTES)),
        nearby=pick((None, *NEARBY)),
        nearby_color=pick((None, *OBJECT_COLORS)),
        tied=pick((None, *TIED)),
        tied_color=pick((None, *OBJECT_COLORS)),
        style=pick((None, *STYLES, *TEST_STYLES)),
        pose=pick(POSES),
    )


def expected(scene, mention, detail):
    """What a reader of the caption should know, from the scene alone."""
    said = {"subject": scene.subject}
    for factor in ("attribute", "background", "nearby", "tied", "style"):
        if factor in mention and getattr(scene, factor):
            said[factor] = getattr(scene, factor)
    if "pose" in mention and scene.pose != "standing":
        said["pose"] = scene.pose
    if "background" in said and "background" in detail:
        said["variant"] = scene.variant
    for factor in ("nearby", "tied"):
        if factor in said and factor in detail and getattr(scene, f"{factor}_color"):
            said[f"{factor}_color"] = getattr(scene, f"{factor}_color")
    if "looks" in mention:
        said["looks"], *colors = looks(scene)
        if "looks" in detail and colors:
            said["looks_colors"] = " and ".join(colors)
    return said


def test_parse_reads_back_what_random_captions_mention():
    rng = np.random.default_rng(0)
    for _ in range(4000):
        scene = random_scene(rng)
        mention = {factor for factor in grammar.FACTORS if rng.random() < 0.6}
        detail = {factor for factor in mention if rng.random() < 0.5}
        identifier = ("sks", "[v]", "<new1>", None)[int(rng.integers(4))]
        text = grammar.caption(scene, mention, detail, rng, identifier=identifier)
        assert grammar.parse(text) == expected(scene, mention, detail), text
        assert identifier is None or f"{identifier} {scene.subject}" in text


def test_every_word_is_known_and_captions_fit():
    rng = np.random.default_rng(1)
    known, lengths = set(grammar.words()), []
    for _ in range(3000):
        said = grammar.caption(random_scene(rng), grammar.FACTORS, True, rng, identifier="photo").split()
        assert set(said) <= known
        lengths.append(len(said))
    assert max(lengths) <= 40
    assert len(known) < 450


def test_phrases_mean_one_thing():
    seen = {}
    for phrases, meaning in grammar._phrase_meanings():
        for phrase in phrases:
            assert seen.setdefault(phrase, meaning) == meaning, phrase


def test_known_captions():
    wording = grammar.Wording(*[0.0] * 7, pose_first=True, nearby_first=True, style_opens=False)
    told = grammar._tell(FULL, ["background", "nearby", "tied", "pose"], True, wording, "[v]")
    assert told == (
        "a photo of a [v] dog lying on its side wearing a red scarf next to a blue balloon on a string "
        "in a kitchen with mint green tiles"
    )
    plain = grammar._tell(FULL, ["background", "nearby", "tied", "style"], False, wording, None)
    assert plain == "a photo of a dog wearing a scarf next to a balloon in a kitchen in the style of neon art"


def test_the_four_cases_differ_only_in_content():
    told = grammar.cases(FULL, np.random.default_rng(3))
    assert told[1] == "a photo of a [v] dog"
    undesired = {"background": "kitchen", "nearby": "balloon", "tied": "scarf", "style": "neon", "pose": "lying"}
    details = {"variant": "mint", "nearby_color": "blue", "tied_color": "red"}
    assert grammar.parse(told[2]) == {"subject": "dog"} | undesired
    assert grammar.parse(told[3]) == {"subject": "dog"} | undesired | details
    word, *colors = looks(FULL)
    adjectives = f"a {word} {' and '.join(colors)} [v] dog"
    assert told[4] == told[3].replace("a [v] dog", adjectives)
    assert set(told[2].split()) <= set(told[3].split())


def test_four_cases_of_a_style():
    told = grammar.style_cases(FULL, np.random.default_rng(3))
    assert told[1] == "a painting in the style of [v] art"
    assert told[2].startswith("a painting of a dog ") and told[2].endswith(" in the style of [v] art")
    word, *colors = looks(FULL)
    details = {"variant": "mint", "nearby_color": "blue", "tied_color": "red", "looks": word}
    assert grammar.parse(told[3]) == grammar.parse(told[2]) | details | {"looks_colors": " and ".join(colors)}
    assert grammar.parse(told[4]) == grammar.parse(told[3]) | {"style": "neon"}


def test_cases_of_random_scenes_fit_and_share_their_opening():
    rng = np.random.default_rng(2)
    for _ in range(1000):
        scene = random_scene(rng)
        told = grammar.cases(scene, rng)
        assert max(len(text.split()) for text in told.values()) <= grammar.LONGEST
        assert len({text.split()[1] == "photo" for text in told.values()}) == 1
        styled = grammar.style_cases(scene, rng)
        assert max(len(text.split()) for text in styled.values()) <= 46


def test_same_generator_same_caption_and_wordings_vary():
    def say(seed):
        return grammar.caption(FULL, grammar.FACTORS, True, np.random.default_rng(seed))

    assert say(5) == say(5)
    assert len({say(seed) for seed in range(50)}) > 30


def test_a_missing_factor_and_standing_are_not_said():
    scene = Scene("owl", "noto", "moon", "flag")
    for seed in range(20):
        text = grammar.caption(scene, set(grammar.FACTORS) - {"looks", "background"}, True, np.random.default_rng(seed))
        assert text in ("a photo of an owl", "a picture of an owl", "an owl")


@pytest.mark.parametrize(
    "attribute, ways", [("purple", {"a purple dog"}), ("golden", {"a golden dog", "a dog made of gold"})]
)
def test_attributes(attribute, ways):
    scene = Scene("dog", "noto", "moon", "flag", attribute=attribute)
    said = {grammar.caption(scene, ["attribute"], False, np.random.default_rng(seed)) for seed in range(40)}
    assert {text.removeprefix("a photo of ").removeprefix("a picture of ") for text in said} == ways


def test_attribute_and_looks_are_told_apart():
    assert grammar.parse("a purple [v] dog") == {"subject": "dog", "attribute": "purple"}
    assert grammar.parse("a glossy pink robot") == {"subject": "robot", "looks": "glossy", "looks_colors": "pink"}
    assert grammar.parse("a purple glossy dog") == {"subject": "dog", "attribute": "purple", "looks": "glossy"}


def test_parse_passes_over_unknown_words_and_punctuation():
    text = "A photo of a [v] dog, quietly dreaming, next to a blue balloon on a string."
    assert grammar.parse(text) == {"subject": "dog", "nearby": "balloon", "nearby_color": "blue"}
    assert grammar.parse("nothing of this world") == {}


def test_every_variant_has_its_own_detail():
    for place, variants in PLACES.items():
        told = [set(vocabulary.place_phrases(place, variant)) for variant in variants]
        assert len(set.union(*told)) == sum(map(len, told))


def test_articles():
    assert vocabulary.with_article("owl") == "an owl"
    assert vocabulary.with_article("[v] owl") == "a [v] owl"


def test_unknown_factor_is_refused():
    with pytest.raises(ValueError, match="expected a collection of subject.*got weather"):
        grammar.caption(FULL, ["weather"], False, np.random.default_rng(0))
    with pytest.raises(ValueError, match="got 'background'"):
        grammar.caption(FULL, "background", False, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("factor", "left"),
    [
        ("nearby", "a photo of a [v] dog lying on its side wearing a crown on a beach"),
        ("background", "a photo of a [v] dog lying on its side wearing a crown {nearby}"),
        ("pose", "a photo of a [v] dog wearing a crown {nearby} on a beach"),
        ("style", "a photo of a [v] dog lying on its side wearing a crown {nearby} on a beach"),
    ],
)
def test_a_factor_is_left_out_and_the_rest_stays(factor, left):
    nearby = vocabulary.nearby_phrases("balloon", "blue", True)[0]
    text = f"a photo of a [v] dog lying on its side wearing a crown {nearby} on a beach"
    assert set(grammar.parse(text)) >= {"pose", "tied", "nearby", "background"}
    assert grammar.leave_out(text, factor) == left.format(nearby=nearby)
