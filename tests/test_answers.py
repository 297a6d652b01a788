"""What models really send back, and the caption that it makes or the words that it is refused with."""

import json

import pytest

from sidkit.describe.answer_error import AnswerError
from sidkit.describe.answers import read_answer
from sidkit.describe.instructions import load_instruction
from sidkit.describe.phrases import after_noun, in_place, in_pose, looks

SAID = "A dog sits on a sandy beach next to a blue ball."
CAPTION = "A [v] dog sits on a sandy beach next to a blue ball"
PARTS = {
    "objects": [{"name": "next to a ball", "detail": "next to a blue ball"}],
    "background": {"name": "on a beach", "detail": "on a sandy beach"},
    "pose": "sitting",
    "style": "",
    "subject": "small brown",
}
J = json.dumps(PARTS)
IN_PARTS = "a photo of a [v] dog sitting next to a blue ball on a sandy beach"


def read(raw, name="sentence"):
    return read_answer(raw, "dog", load_instruction(name).filled("dog"), "m").caption(3)


CLEANED = [
    SAID,
    # thoughts
    f"<think>The user wants a dog {{brown}} on a beach.</think>\n\n{SAID}",
    f"Okay, a dog sits here on a beach...\n</think>\n\n{SAID}",
    f"<thinking>I can't see much. A dog?</thinking>{SAID}",
    f"[THINK]A dog, then.[/THINK]{SAID}",
    f"◁think▷A dog.◁/think▷{SAID}",
    f"<think>one<think>two</think>three</think>{SAID}",
    f"<|channel|>analysis<|message|>A dog.<|end|><|start|>assistant<|channel|>final<|message|>{SAID}<|return|>",
    f"analysisWe need one sentence that starts with A dog.assistantfinal{SAID}",
    f"<think>{'hm ' * 3000}</think><answer>{SAID}</answer>",
    f'The caption should start with "A dog" as asked.\n\n{SAID}',
    # chat tokens
    f"<|im_start|>assistant\n{SAID}<|im_end|>",
    f"{SAID}<|endoftext|>",
    f"{SAID}<|im_end|>\n<|im_start|>user\nAnd a cat?",
    f"<|start_header_id|>assistant<|end_header_id|>\n\n{SAID}<|eot_id|>",
    f"<s>[INST] Describe the dog. [/INST] {SAID}</s>",
    f"USER: Describe the dog. ASSISTANT: {SAID}",
    f"<start_of_turn>model\n{SAID}<end_of_turn>",
    f"<|begin_of_box|>{SAID}<|end_of_box|>",
    f"{SAID}<｜end▁of▁sentence｜>",
    # markdown
    "**A dog** sits on a *sandy beach* next to a `blue ball`.\n\n- note: nice",
    f"```\n{SAID}\n```",
    f"```text\n{SAID}\n```",
    f"# Caption\n\n{SAID}",
    f"- {SAID}",
    f"1. {SAID}\n2. A dog on a lawn.",
    f"> {SAID}",
    "**A dog sits on a __sandy__ beach next to a ~~blue~~ ball.",
    "A [dog](http://evil.example) sits on a sandy beach next to a blue ball.",
    # around it
    f"Here is the description:\n\n{SAID}\n\nLet me know if you need anything else!",
    f"Sure! Here is a one-sentence description that leaves out the dog: {SAID}",
    f"Certainly! {SAID} I hope this helps!",
    f"{SAID} (Note: I left out the dog's features.)",
    f"{SAID} Would you like another one?",
    f"{SAID} I'm sorry, but I can't name the breed.",
    f"Caption: {SAID}",
    f"**Caption:** {SAID}",
    f'"{SAID}"',
    f"“{SAID}”",
    f"Describe the image in one sentence in detail. {SAID}",
    json.dumps({"caption": SAID}),
    f"```json\n{json.dumps([SAID])}\n```",
    # more of each
    f"<|begin_of_thought|>A dog.<|end_of_thought|><|begin_of_solution|>{SAID}<|end_of_solution|>",
    f"<|START_THINKING|>a dog<|END_THINKING|><|START_RESPONSE|>{SAID}<|END_RESPONSE|>",
    f"**Thinking:** The picture shows a dog.\n\n**Answer:** {SAID}",
    f"assistant\n{SAID}",
    f"[BOS]{SAID}[EOS]",
    f"\\boxed{{{SAID}}}",
    f"{SAID}\nHuman: thanks",
    f"{SAID}<|im_start|>user\nignore that dog<|im_end|>",
    f"{SAID}\n\n### Instruction:\nNow a cat",
    f"| caption |\n| --- |\n| {SAID} |",
    *(
        f"{opening}{SAID}{closing}"
        for opening, closing in ("«»", "„“", "‹›", "「」", "‘’", "''", ("`", "`"), ("***", "***"))
    ),
    f"Option 1: {SAID}\nOption 2: A dog at the sea.",
    f"{SAID} As requested, the dog is not described.",
    f"{SAID}\n\n(11 words)",
    f"{{'caption': '{SAID}'}}",
    json.dumps({"caption": SAID, "confidence": 0.9}),
    # marks
    "A [v] dog sits on a sandy beach next to a blue ball.",
    "A dog sits\x00 on a\u200b sandy be\x00a\u00adch next\nto a  blue ball\ud83c.",
    "A dog sits on a sandy <b>beach</b> next to a &lt;i&gt;blue&lt;/i&gt; ball.",
    "<*img* src=x onerror=alert(1)>A dog sits on a sandy beach next to a blue ball.",
]


@pytest.mark.parametrize("raw", CLEANED)
def test_what_is_no_word_of_a_caption_is_cleaned_away(raw):
    assert read(raw) == CAPTION


@pytest.mark.parametrize(
    ("raw", "caption"),
    [
        ('A dog sits by a mug that says "I can\'t see you".', 'A [v] dog sits by a mug that says "I can\'t see you"'),
        ("A dog beside a card with “I’m sorry” on it.", "A [v] dog beside a card with “I’m sorry” on it"),
        ("A dog looks up at you from a sofa.", "A [v] dog looks up at you from a sofa"),
        ("A dog that cannot reach a ball on a shelf", "A [v] dog that cannot reach a ball on a shelf"),
        ("A dog before a wall with no pictures on it", "A [v] dog before a wall with no pictures on it"),
        ("A dog near a poster of World War I.", "A [v] dog near a poster of World War I"),
        ("A dog holds a photo of a boat.", "A [v] dog holds a photo of a boat"),
        ("A dog on a beach. A kite flies above it.", "A [v] dog on a beach. A kite flies above it"),
        ("A dog on a beach 🏖️.", "A [v] dog on a beach 🏖️"),
        ("A dog that's next to a 3 < 5 sign & a café.", "A [v] dog that's next to a 3 < 5 sign & a café"),
        ("The dog sits on a beach.", "The [v] dog sits on a beach"),
        ("In a garden, two dogs play.", "In a garden, two [v] dogs play"),
        ("I see a dog on a beach.", "a [v] dog on a beach"),
        ("The image shows a dog on a beach.", "a [v] dog on a beach"),
        ("In the image, a dog lies on a rug.", "a [v] dog lies on a rug"),
        ("A dog with no collar on a rug.", "A [v] dog with no collar on a rug"),
        ("A dog beside a sign that says “犬に注意”.", "A [v] dog beside a sign that says “犬に注意”"),
        ("A dog-shaped cloud above a dog.", "A dog-shaped cloud above a [v] dog"),
        ("A dog on a rug that is not in the picture frame.", "A [v] dog on a rug that is not in the picture frame"),
        ("Great Dane dog on grass, next to a tree.", "Great Dane [v] dog on grass, next to a tree"),
        ("A dog sits on a note.", "A [v] dog sits on a note"),
        ('"A dog beside a "SALE" sign."', 'A [v] dog beside a "SALE" sign'),
    ],
)
def test_what_a_picture_may_hold_stays(raw, caption):
    assert read(raw) == caption


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        *(
            ("refused", raw)
            for raw in (
                "I’m sorry, but I can’t describe the dog in this image.",
                "I'm sorry, but I can't describe the dog in this image.",
                "“I’m sorry, but I can’t describe the dog.”",
                '"I am sorry, I cannot describe the dog."',
                "'Sorry, I can't help with the dog.'",
                "**I'm sorry**, but I can't assist with the dog.",
                "<think>A dog.</think>I’m unable to identify the dog.",
                "Unfortunately I cannot see the dog.",
                "My apologies, the dog is beyond me.",
                "As an AI language model, I think a dog is a pet.",
                "I won’t be able to describe this dog.",
                "We are unable to process the dog.",
                "This request violates our usage policies, so no dog.",
                "The dog in this picture cannot be described.",
                "I must decline to speak of the dog.",
                "It is not possible to describe the dog.",
                "I'm sorry, I will not do that. A dog is an animal.",
                "Error: the dog was not found",
                "I’m afraid the dog is not for me.",
            )
        ),
        *(
            ("no picture", raw)
            for raw in (
                "As a text-based AI, I cannot see the image, but I can tell you about a dog.",
                "It seems that no image was attached. Could you please share the picture of the dog?",
                "I'm not able to view images. Please describe the dog to me.",
                "I don’t see any image here, but a dog is a pet.",
                "There is no image attached to your message about the dog.",
                "The image didn't load, so the dog is unknown.",
                "I do not have the ability to see images of a dog.",
                "I don't have access to the image of the dog.",
                "A dog sits on a beach. However, I can't actually see the image.",
                "Please upload a picture of the dog.",
                "I can only read text; the picture of the dog was not provided.",
                "A dog is a guess, as I cannot open the attachment.",
            )
        ),
        ("only thoughts", "<think>Okay, a dog sits here and I will go on thinking about it"),
        ("only thoughts", "<think>A dog sits on a beach.</think>"),
        ("only thoughts", "<|channel|>analysis<|message|>A dog sits"),
        ("empty", "<|im_end|></s>"),
        ("empty", '""'),
        ("off the point", "A puppy sits on a sandy beach next to a blue ball."),
        ("off the point", "一只狗坐在沙滩上，旁边有一个蓝色的球。"),
        ("off the point", "Ein Hund sitzt am Strand."),
        *(
            ("off the point", raw)
            for raw in (
                "Un dog sur la plage",
                "Es tut mir leid, ich kann den dog nicht beschreiben.",
                "Lo siento, no puedo describir el dog.",
                "很抱歉，我无法描述这只 dog。",
                "A dog 犬 在 海滩上",
                "Traceback (most recent call last): dog",
                "NaN dog",
                "No dog is visible in this image.",
                "The image does not contain a dog.",
                "There is no dog on the beach.",
                "A dog isn’t present in the image.",
                "A dog-shaped cloud.",
                "A hotdog on a plate.",
            )
        ),
        *(
            ("broken", raw)
            for raw in (
                "A dog [insert description here].",
                "[image of a dog]",
                "A dog? On a beach?",
                "A dog a dog a dog a dog a dog",
                "A dog on a beach on a beach on a beach on a beach",
                "How can I help you with the dog?",
                "A dog is what I will describe.",
            )
        ),
        ("refused", "My instructions prevent me from describing the dog."),
        ("refused", "Content removed: a dog"),
        ("no picture", "A dog (image unavailable)."),
        ("broken", "A dog dog dog dog dog dog"),
        ("broken", "Let me know if you need more on the dog."),
        ("broken", "I think the dog is happy with the picture."),
        ("broken", load_instruction("sentence").filled("dog").text),
        ("broken", json.dumps({"a": "A dog.", "b": "A cat."})),
        ("broken", f"[{J}]"),
        ("broken", '{"caption": "A dog on a bea'),
        ("too long", "A dog " + "very " * 2000),
    ],
)
def test_what_is_no_description_is_refused_with_its_own_words(kind, raw):
    with pytest.raises(AnswerError) as refusal:
        read(raw)
    assert refusal.value.kind == kind
    assert "\n" not in str(refusal.value) and len(str(refusal.value)) < 400
    if kind in ("refused", "no picture"):
        first, *_ = raw.strip("*“\"'").replace("<think>A dog.</think>", "").replace("**", "").split("'")
        assert first[:20] in str(refusal.value)


@pytest.mark.parametrize(
    "raw",
    [
        J,
        f"```json\n{J}\n```",
        f"```JSON\n{J}\n```",
        f"<think>The {{brown}} dog.</think>\n{J}",
        f"Here is {{the}} description you asked for:\n\n{J}\n\nLet me know if you need anything else!",
        f"{J}\n\n{J}",
        f"[{J}]",
        json.dumps({"description": PARTS}),
        repr(PARTS),
        J.replace('"subject": "small brown"}', '"subject": "small brown",}'),
        J.replace('"objects"', '"Objects"').replace('"name"', '"Name"'),
        f"{J}<|im_end|>",
        J.replace("next to a blue ball", "**next to** a `blue ball`."),
        J.replace("next to a blue ball", "next to a\nblue \x00ball"),
        json.dumps({**PARTS, "pose": ["sitting"], "style": "photo"}),
        json.dumps({**PARTS, "pose": "The dog is sitting"}),
    ],
)
def test_a_structure_is_read_however_it_is_wrapped(raw):
    assert read(raw, "structure") == IN_PARTS


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("refused", "I’m sorry, but I can’t describe the dog in this image."),
        ("no picture", "It seems that no image was attached."),
        ("refused", json.dumps({"error": "I cannot describe the dog."})),
        ("no picture", json.dumps({**PARTS, "background": "I cannot see the image"})),
        ("refused", json.dumps({**PARTS, "objects": [{"name": "I’m sorry, I can’t help", "detail": ""}]})),
        ("empty", json.dumps({"objects": [{"name": "...", "detail": "..."}], "background": {"name": "..."}})),
        ("empty", json.dumps({"objects": "", "background": "none", "pose": "N/A", "style": "photo", "subject": None})),
        ("broken", json.dumps({"type": "object", "properties": {"x": 1}})),
        ("broken", json.dumps({**PARTS, "pose": 3})),
        ("broken", "A dog on a beach."),
        ("only thoughts", f"<think>{J}"),
    ],
)  # fmt: skip
def test_what_is_no_structure_is_refused(kind, raw):
    with pytest.raises(AnswerError) as refusal:
        read(raw, "structure")
    assert refusal.value.kind == kind and len(str(refusal.value)) < 400


def test_noun_phrases_are_joined_to_a_caption():
    plain = {"objects": ["a blue ball", "a red kite"], "background": "a sandy beach", "pose": "sitting"}
    joined = "a photo of a [v] dog sitting with a blue ball and a red kite with a sandy beach in the background"
    assert read(json.dumps(plain), "structure") == joined
    mixed = {"objects": ["wearing a hat", "a red kite", "beside a ball"], "background": "on a beach"}
    assert (
        read(json.dumps(mixed), "structure")
        == "a photo of a [v] dog wearing a hat with a red kite beside a ball on a beach"
    )


@pytest.mark.parametrize(
    ("phrase", "joined"),
    [
        ("next to a ball", "next to a ball"),
        ("wearing a red hat", "wearing a red hat"),
        ("holding flowers", "holding flowers"),
        ("covered in snow", "covered in snow"),
        ("partially hidden by leaves", "partially hidden by leaves"),
        ("half-hidden behind a wall", "half-hidden behind a wall"),
        ("leaning against a wall", "leaning against a wall"),
        ("up on a shelf", "up on a shelf"),
        ("the dog is wearing a hat", "wearing a hat"),
        ("The dog sits next to a ball", "that sits next to a ball"),
        ("a blue ball", "with a blue ball"),
        ("red kite", "with red kite"),
        ("string lights", "with string lights"),
        ("shopping bag", "with shopping bag"),
        ("bed in a room", "with bed in a room"),
        ("dogs in the distance", "with dogs in the distance"),
        ("two cups", "with two cups"),
        ("", ""),
    ],
)
def test_a_thing_follows_the_class_word(phrase, joined):
    assert after_noun(phrase, "dog") == joined


@pytest.mark.parametrize(
    ("join", "phrase", "joined"),
    [
        (in_place, "on a beach", "on a beach"),
        (in_place, "outdoors", "outdoors"),
        (in_place, "a kitchen", "with a kitchen in the background"),
        (in_place, "plain white background", "with plain white background"),
        (in_place, "The background is a wall", "with a wall in the background"),
        (in_pose, "a sitting pose", "in a sitting pose"),
        (in_pose, "it is lying on its side", "lying on its side"),
        (in_pose, "seen from above", "seen from above"),
        (looks, "a small brown dog with long ears", "small brown"),
        (looks, "small, brown with white paws", "small, brown"),
        (looks, "The dog is brown", "brown"),
        (looks, "has long ears", ""),
    ],
)
def test_the_other_parts_take_their_places(join, phrase, joined):
    assert join(phrase, "dog") == joined


def test_what_a_style_shows_needs_no_word_that_joins_it():
    art = {"objects": ["sunflowers in a vase", "a cup"], "background": "in a room"}
    asked = load_instruction("structure_style").filled("art")
    told = read_answer(json.dumps(art), "art", asked, "m")
    assert told.caption(3) == "a painting of sunflowers in a vase with a cup in a room in the style of [v] art"


AROUND = "next to a ball on a beach"


@pytest.mark.parametrize(
    ("part", "value", "caption"),
    [
        ("objects", "a ball", "a photo of a [v] dog sitting with a ball on a beach"),
        ("objects", {"name": "a ball"}, "a photo of a [v] dog sitting with a ball on a beach"),
        ("objects", [{"object": "a ball"}], "a photo of a [v] dog sitting with a ball on a beach"),
        ("objects", [["a ball", "a kite"]], "a photo of a [v] dog sitting with a ball and a kite on a beach"),
        ("objects", ["a ball\n- a kite"], "a photo of a [v] dog sitting with a ball, a kite on a beach"),
        ("objects", [{"name": "a ball"}] * 3, "a photo of a [v] dog sitting with a ball on a beach"),
        ("objects", ["and a ball"], "a photo of a [v] dog sitting with a ball on a beach"),
        ("objects", ['"SALE" sign'], 'a photo of a [v] dog sitting with "SALE" sign on a beach'),
        ("objects", ["sitting on a chair"], "a photo of a [v] dog sitting on a chair on a beach"),
        ("objects", ["a dog"], "a photo of a [v] dog sitting on a beach"),
        ("objects", ["no other objects visible"], "a photo of a [v] dog sitting on a beach"),
        ("objects", ["a no-smoking sign"], "a photo of a [v] dog sitting with a no-smoking sign on a beach"),
        ("background", "plain white", "a photo of a [v] dog sitting next to a ball with a plain white background"),
        ("background", "beach, daytime",
         "a photo of a [v] dog sitting next to a ball with beach in the background, daytime"),
        ("background", "In the background there is a beach",
         "a photo of a [v] dog sitting next to a ball with a beach in the background"),
        ("background", "Unable to determine", "a photo of a [v] dog sitting next to a ball"),
        ("background", "…", "a photo of a [v] dog sitting next to a ball"),
        ("pose", "Standing", f"a photo of a [v] dog standing {AROUND}"),
        ("pose", "sits on the sand", f"a photo of a [v] dog that sits on the sand {AROUND}"),
        ("pose", "front view", f"a photo of a [v] dog in front view {AROUND}"),
        ("pose", "dog", f"a photo of a [v] dog {AROUND}"),
        ("pose", "unclear", f"a photo of a [v] dog {AROUND}"),
        ("style", "cartoon", f"a photo of a [v] dog sitting {AROUND} in cartoon style"),
        ("style", "in watercolor style", f"a photo of a [v] dog sitting {AROUND} in watercolor style"),
        ("style", "No particular style", f"a photo of a [v] dog sitting {AROUND}"),
    ],
)  # fmt: skip
def test_each_part_as_models_write_it(part, value, caption):
    plain = {**PARTS, "objects": ["next to a ball"], "background": "on a beach"}
    assert read(json.dumps({**plain, part: value}), "structure") == caption


@pytest.mark.parametrize("objects", [{"ball": "a blue ball"}, [{"thing": "a ball"}], [3], True])
def test_a_thing_that_would_be_lost_is_refused(objects):
    with pytest.raises(AnswerError, match="broken"):
        read(json.dumps({**PARTS, "objects": objects}), "structure")


def test_an_instruction_of_one_s_own_may_be_in_any_language(tmp_path):
    (tmp_path / "mine.txt").write_text("Beschreibe das Bild, aber nicht {class}.")
    asked = load_instruction(str(tmp_path / "mine.txt")).filled("Hund")
    assert read_answer("Hund vor einer Mauer.", "Hund", asked, "m").caption(3) == "[v] Hund vor einer Mauer"
