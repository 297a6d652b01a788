"""Negative prompts: the words of a caption that are not about its subject."""

import pytest

from sidkit.describe.negative_prompt import negative_prompt, non_subject
from sidkit.stickers import grammar
from sidkit.stickers.references import make_subject


@pytest.mark.parametrize(
    ("caption", "class_word", "expected"),
    [
        # the paper's own (Fig. 10), from SIDs of its form
        (
            "A [v] dog sitting on the fluffy blanket and green couch.",
            "dog",
            "sitting on the fluffy blanket and green couch",
        ),
        (
            "a photo of a [v] perfume next to a black Prada purse with silver hardware on a bed of white sheets",
            "perfume",
            "next to a black Prada purse with silver hardware on a bed of white sheets",
        ),
        (
            "A [v] perfume next to a black Prada purse with silver hardware is on the bed of white sheet",
            "perfume",
            "next to a black Prada purse with silver hardware is on the bed of white sheet",
        ),
        ("a photo of a small brown [v] teddy bear on a shelf", "teddy bear", "on a shelf"),
        ("In a field of flowers, a [v] dog runs", "dog", "In a field of flowers, runs"),
        ("a [v] dogged cat", "dog", "dogged cat"),
        ("a close-up picture of a [v] dog in the snow", "dog", "in the snow"),
        ("a painting of a cat on a beach in the style of [v] art", "art", "a cat on a beach"),
        (
            "A painting in the style of [v] art of a bouquet of sunflowers in the round vase.",
            "art",
            "of a bouquet of sunflowers in the round vase",
        ),
    ],
)
def test_the_subject_is_taken_out_and_the_rest_stays(caption, class_word, expected):
    assert non_subject(caption, class_word) == expected


@pytest.mark.parametrize("caption", ["a photo of a [v] dog", "A [v] dog.", "a painting in the style of [v] dog"])
def test_a_caption_of_nothing_else_has_no_negative_prompt(caption):
    with pytest.raises(ValueError, match="says what is not the subject"):
        non_subject(caption, "dog")


def test_a_caption_without_its_mark_is_refused():
    with pytest.raises(ValueError, match="caption: expected"):
        non_subject("a photo of a dog on a sofa", "dog")


@pytest.mark.parametrize("bias", ["background", "nearby", "tied", "pose", "substance"])
def test_a_sticker_subject_s_names_all_that_its_sid_does(tmp_path, bias):
    subject = make_subject(tmp_path, "cat", bias, 2, seed=0)
    for image in range(2):
        said = negative_prompt(subject, image)
        sid = subject.captions[3][subject.images[image].name]
        undesired = {"pose", "background", "variant", "nearby", "nearby_color", "tied", "tied_color"}
        assert grammar.parse(said).items() >= {(k, v) for k, v in grammar.parse(sid).items() if k in undesired}
        assert "[v]" not in said and (bias == "substance" or "cat" not in said)
