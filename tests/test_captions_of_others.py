"""Captions as people bring them from other trainers, taggers and languages: named, put right, or said to be unread."""

import itertools
import random
import time

import pytest

from sidkit.check.apply import fixed
from sidkit.check.check import find
from sidkit.check.language import is_english
from sidkit.mark import MARK, TRIGGER

PLAIN = "a photo of a [v] dog on a red rug"

# Case 10, and other signs -> what stands there without them; None where a person has to choose.
SIGNS = {
    "a photo of a ([v] dog:1.2) on a red rug": PLAIN,
    "a photo of a [[v] dog] on a (red rug:1.3)": PLAIN,
    "a photo of a [v] (dog:1.2) on a red rug": PLAIN,
    "a photo of a [v] dog on a ((red:1.1) rug:.9)": PLAIN,
    "(((a photo of a [v] dog))) on a [red] rug": PLAIN,
    "(a photo of a [v] dog)++ on a (red rug)1.4": PLAIN,
    "a photo of a {{[v] dog}} on a {red} rug": PLAIN,
    "a photo of a [v] dog on a [red rug:0.5]": PLAIN,
    "a photo of a [v] dog on a red_rug": PLAIN,
    "a photo of a [v] dog <lora:dogs_v2:0.8> on a red rug": PLAIN,
    "a photo of a <b>[v] dog</b> on a red rug<br/>": PLAIN,
    "a photo of a **[v] dog** on a `red` rug": PLAIN,
    "a photo of a [v] dog on a red rug<|endoftext|>": PLAIN,
    "<s>a photo of a [v] dog on a red rug</s>": PLAIN,
    "a photo of a [v] dog\u200b on a \u2060red rug\ufeff": PLAIN,
    "a photo of a [\u200bv] dog on a red rug": PLAIN,
    r"a photo of a \[v\] dog on a red rug": PLAIN,
    "a photo of a '[v]' dog on a red rug": PLAIN,
    "a photo of a <[v]> dog on a red rug": PLAIN,
    "a photo of a [v]dog on a red rug": PLAIN,
    "a photo of an [v] dog on a red rug": PLAIN,
    r"a [v] dog on a rug \(red\)": "a [v] dog on a rug (red)",
    "a [v] dog on a rug BREAK a red wall": "a [v] dog on a rug, a red wall",
    "a [v] dog on a rug &amp; a mat": "a [v] dog on a rug & a mat",
    "a photo of a [v] dog on a ((red rug):1.3)": PLAIN,
    "a photo of a [v] dog on a (red rug:1,3)": PLAIN,
    "a photo of a [v] dog on a （red rug：1.3）": PLAIN,
    "a photo of a [v] dog on a 1.3::red rug::": PLAIN,
    "a photo of a [v] dog::2 on a red rug::-.5": PLAIN,
    "a photo of a [v] dog:1.2 on a red rug++": PLAIN,
    "a photo of a [v] dog on a red rug embedding:EasyNegative": PLAIN,
    r"a photo of a [v] dog\non a red rug": PLAIN,
    "a photo of sks_dog on a red rug": PLAIN.replace("a [v]", "[v]"),
    "a [v] dog on a rug, https://example.com/a.png": None,
    "a [v] dog on a __colors/warm__ rug": None,
    "a [v] dog on a {red|blue} rug": None,
    "a [v] dog on a [red:blue:0.5] rug": None,
    "a [v] dog on a [red|blue] rug": None,
    "a [v] dog on a __color__ rug": None,
    "a [v] dog on a rug --ar 3:2": None,
    '<img src="a.png" onerror="b()"> a [v] dog on a rug': None,
}


@pytest.mark.parametrize("text", SIGNS)
def test_signs_for_another_program_are_a_fault_and_put_right_where_that_is_safe(text):
    signs = [one for one in find({"00.png": text}, "dog") if one.kind == "notation"]
    assert signs and all(one.level == "fault" and one.words in text for one in signs)
    assert fixed(text, "dog") == (SIGNS[text] or text)
    if SIGNS[text]:
        assert find({"00.png": SIGNS[text]}, "dog") == []


@pytest.mark.parametrize(
    "text",
    [
        "a photo of a [v] dog (on the left) in front of a clock that says 12:30",
        "a photo of a [v] dog (at 12:30, on a rug) beside a ball",
        "a photo of a [v] dog with a 3:2 frame around it; a rug, and 5 * 3 balls",
        "a photo of a [v] dog -- on a rug -- beside a C++ book",
        "a photo of a [v] dog on a rug, R&D sign behind it, I <3 NY bag beside it",
        "a photo of a [v] dog's face on a rug, 50% in the shade",
        "a photo of a [v] dog on a rug 🐶 beside a café",
        "a photo of a [v] dog at 9:30 beside a ratio of 1.5:1 and a g++ manual, a score of 3:2, and no. 5",
        "a photo of a [v] dog with a 50%-off sign and an e-mail sign that says a/b at www",
    ],
)
def test_english_is_no_sign(text):
    assert "notation" not in {one.kind for one in find({"00.png": text}, "dog")}


DESCRIBED = (  # as people and models write
    "[v] dog laying on its back in the grass with a frisbee in its mouth",
    "The image features a [v] dog standing on a sidewalk, looking up at the camera.",
    "a [v] dog wearing a red bandana (tied around its neck) at the beach",
    "[v] dog: sleeping on a blue blanket beside a pair of sneakers",
    "A [v] dog, seen from above, lies on a kitchen floor; a bowl of water is next to it.",
    "[v] dog at the vet's office, on an exam table - a stethoscope hangs nearby",
    "selfie of a woman holding a [v] dog at Central Park, New York",
    "a [v] dog next to a sign that reads: 'No dogs!'",
    "photo of a [v] dog on a boat, 5 p.m., sea in the background",
    "a [v] dog by the pool... with a ball",
    "A PHOTO OF A [v] DOG ON A RUG",
    "[v] dog, a ball, a rug",
)


@pytest.mark.parametrize("text", DESCRIBED)
def test_nothing_is_found_in_what_is_right(text):
    assert find({"00.png": text}, "dog") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1boy, [v] dog, blue ball, on beach, masterpiece", "1boy, masterpiece"),
        ("[v] dog, best quality, 8k, sitting on a rug", "best quality, 8k"),
        ("score_9, score_8_up, rating:safe, [v] dog on a rug", "score 9, score 8 up, rating:safe"),
        ("[v] dog, sitting, beach, blue ball", "[v] dog, sitting, beach, blue ball"),
        ("a [v] dog on a rug, highly detailed, trending on artstation", "highly detailed, trending on artstation"),
    ],
)
def test_tags_are_a_note(text, words):
    notes = [one for one in find({"00.png": text}, "dog") if one.kind == "notation" and one.level == "note"]
    assert [one.words for one in notes] == [words]
    assert not [one for one in find({"00.png": text}, "dog") if one.kind in ("looks", "bare", "class-missing")]


TRIGGERS = (
    *("sks", "SKS", "zwx", "ohwx", "olis", "pll", "TOK", "S*", "V*", "v*", "S_*", "*", "<sks>", "<sks-dog>", "<new1>"),
    *(
        "<s0><s1>",
        "<V>",
        "< v >",
        "<>",
        "<*>",
        "[V]",
        "[ v ]",
        "[v1]",
        "[V_2]",
        "[v*]",
        "[*]",
        "[]",
        "[ ]",
        "[trigger]",
    ),
    *("[identifier]", "[name]", "{v}", "{{v}}", "{trigger}", "{}", "{0}", "%s", "(v)", "［v］", "【v】"),
)


@pytest.mark.parametrize("trigger", TRIGGERS)
@pytest.mark.parametrize(
    "text",
    [
        "a photo of a {} dog on a red rug",
        "a photo of a {} [v] dog on a red rug",
        "a photo of a [v] {} dog on a red rug",
        "a photo of a [v] dog {} on a red rug",
        "a photo of {} on a red rug",
        "{} on a red rug",
    ],
)
def test_a_fix_leaves_no_rest_of_another_trigger(text, trigger):
    brought = text.replace("{}", trigger)
    (first, *_) = [one for one in find({"00.png": brought}, "dog") if one.level == "fault"]
    assert first.kind in ("identifier-missing", "identifier-twice") and first.words == trigger
    right = fixed(brought, "dog")
    assert right in (PLAIN, PLAIN.replace("a [v]", "[v]"), "[v] dog on a red rug")
    assert find({"00.png": right}, "dog") == []


def test_a_trigger_that_cannot_be_taken_out_safely_stays_a_fault():
    text = "a photo of a [v] dog that sits beside <sks-cat> on a red rug"
    assert fixed(text, "dog") == text
    assert [(one.kind, one.level) for one in find({"00.png": text}, "dog")] == [("identifier-twice", "fault")]


def test_whatever_is_brought_a_fix_is_whole_and_keeps_the_words():
    """Signs and triggers put together at random: after a fix no safe fix is left, and all words are still there."""
    rng = random.Random(0)
    wraps = ("({}:1.2)", "(({}))", "[{}]", "{{{{{}}}}}", "**{}**", "<b>{}</b>", "{}\u200b", "{}", "{}", "{}")
    for _ in range(100):
        trigger = rng.choice([MARK, *TRIGGERS])
        pieces = ["a photo of a", f"{trigger} dog", "beside a", rng.choice(["blue ball", "blue_ball"]), "on a rug"]
        text = " ".join(rng.choice(wraps).format(piece) if rng.random() < 0.4 else piece for piece in pieces)
        right = fixed(text, "dog")
        assert right.count(MARK) == 1 and not TRIGGER.search(right), (text, right)
        assert not [one for one in find({"": right}, "dog") if one.fix], (text, right)
        for word in ("photo", "dog", "beside", "blue ball", "on a rug"):
            assert right.count(word) == 1, (text, right)


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "(",
            ")",
            "((",
            "[",
            "]",
            "[|",
            "[:",
            "{",
            "{|",
            "<",
            "<a ",
            "< ",
            "[ ",
            "{ ",
            "( v",
            "*",
            "**",
            "`",
            "&",
            "_",
            "__",
        ),
        *("a_", "--a ", ", ", "\n", " ", "sks ", "<sks>", "(a:1.2) ", "[v] ", "BREAK ", "a, ", "very "),
        *("\u200b", "é", "[a:"),
    ],
)
def test_no_caption_takes_long(piece):
    began = time.process_time()
    find({"": "a [v] dog " + piece * (12_000 // len(piece))}, "dog")
    assert time.process_time() - began < 5


FOREIGN = {
    "狗": ("一张[v]狗在沙滩上的照片", "[v]狗坐在红色地毯上"),  # case 11
    "犬": ("砂浜にいる[v]犬の写真", "赤いカーペットの上の[v]犬"),
    "개": ("해변에 있는 [v] 개의 사진", "빨간 카펫 위의 [v] 개"),
    "собака": ("фото [v] собаки на пляже", "[v] собака на красном ковре"),
    "كلب": ("صورة [v] كلب على الشاطئ", "[v] كلب على سجادة حمراء"),
    "कुत्ता": ("समुद्र तट पर [v] कुत्ते की तस्वीर", "लाल कालीन पर [v] कुत्ता"),
    "σκύλος": ("μια φωτογραφία ενός [v] σκύλου στην παραλία", "[v] σκύλος σε ένα χαλί"),
    "Hund": ("ein Foto von einem braunen [v] Hund am Strand", "[v] Hund auf rotem Teppich"),
    "chien": ("une photo d'un [v] chien brun sur la plage", "le [v] chien dans la neige"),
    "perro": ("una foto de un [v] perro marrón en la playa", "[v] perro junto a una pelota"),
    "cane": ("una foto di un [v] cane marrone sulla spiaggia", "[v] cane su un tappeto"),
    "cachorro": ("uma foto de um [v] cachorro marrom na praia", "[v] cachorro em um tapete"),
    "hond": ("een foto van een bruine [v] hond op het strand", "[v] hond in de tuin"),
    "pies": ("zdjęcie brązowego [v] psa na plaży", "[v] pies na dywanie"),
    "köpek": ("kumsalda bir [v] köpek fotoğrafı", "halının üzerinde [v] köpek"),
    "hund": ("et foto af en brun [v] hund på stranden", "[v] hund på ett golv"),
    "anjing": ("foto seekor [v] anjing di pantai", "[v] anjing di atas karpet"),
    "chó": ("một con [v] chó trên bãi biển", "[v] chó trên thảm đỏ"),
}


@pytest.mark.parametrize("class_word", FOREIGN)
def test_another_language_is_said_once_to_be_outside_what_is_judged(class_word):
    captions = dict(zip(("00.png", "01.png"), FOREIGN[class_word]))
    (note,) = find(captions, class_word)
    assert (note.kind, note.level, note.file) == ("language", "note", "00.png")
    assert "00.png, 01.png" in note.advice and "English" in note.advice
    assert [fixed(text, class_word) for text in captions.values()] == list(captions.values())


@pytest.mark.parametrize("class_word", FOREIGN)
def test_the_mark_and_the_length_are_judged_in_any_language(class_word):
    _, text = FOREIGN[class_word]
    assert "identifier-missing" in {one.kind for one in find({"": text.replace(MARK, "")}, class_word)}
    assert "identifier-twice" in {one.kind for one in find({"": f"{text} {MARK}"}, class_word)}
    assert "identifier-twice" in {one.kind for one in find({"": f"<sks> {text}"}, class_word)}
    assert "too-long" in {one.kind for one in find({"": text * 40}, class_word)}


def test_english_among_others_is_judged():
    captions = {"00.png": "ein Foto von einem [v] dog am Strand", "01.png": "a photo of a fluffy [v] dog on a rug"}
    assert [(one.file, one.kind) for one in find(captions, "dog")] == [("00.png", "language"), ("01.png", "looks")]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "[v] dog",
            "[v] dog on a rug",
            "[v] dog, beach",
            "the [v] dog of Les Deux Magots in Paris",
            "[v] dog near a van",
        ),
        *("a [v] dog with a sombrero in La Rochelle", "[v] dog beside a piñata", "a <s0><s1> dog on a rug", "[v] 🐶"),
        *("a painting in the style of [v] art, as Piet van der Berg painted it", "a [v] dog by the Île de la Cité"),
    ],
)
def test_foreign_names_are_english(text):
    assert is_english(text)


SPELT = {
    "teddy bear": ("a [v] teddy-bear", "a [v] teddybear", "[v] teddy bears", "[v] Teddy-Bears"),
    "teddy-bear": ("a [v] teddy bear",),
    "mouse": ("[v] mice", "a [v] mouse"),
    "mice": ("a [v] mouse", "[v] mice"),
    "goose": ("[v] geese",),
    "child": ("[v] children",),
    "wolf": ("[v] wolves",),
    "knife": ("[v] knives",),
    "cactus": ("[v] cacti", "[v] cactuses"),
    "fish": ("[v] fish", "[v] fishes"),
    "person": ("[v] people", "[v] persons"),
    "sheep": ("two [v] sheep",),
    "scissors": ("[v] scissors", "a pair of [v] scissors"),
    "glasses": ("[v] glasses",),
    "loaf of bread": ("a [v] loaf of bread", "[v] loaves of bread"),
    "mother-in-law": ("[v] mothers-in-law",),
    "rubik's cube": ("a [v] rubik's cube", "a [v] Rubik’s Cube", "a [v] rubiks cube"),
    "doll's house": ("a [v] doll's house", "a [v] dolls house"),
    "T-shirt": ("a [v] t-shirt", "a [v] tshirt", "a [v] T shirt"),
    "c++ book": ("a [v] c++ book", "[v] C++ books"),
    "R2-D2 toy": ("a [v] R2D2 toy", "a [v] r2-d2 toy"),
    "3D printer": ("a [v] 3d printer",),
    "café": ("a [v] cafe\u0301", "a [v] Café"),
    "AT&T sign": ("a [v] AT&T sign",),
}
CAPTIONS_SPELT = [(word, text) for word, texts in SPELT.items() for text in texts]


@pytest.mark.parametrize(("class_word", "text"), CAPTIONS_SPELT)
def test_a_class_word_is_found_however_it_is_spelt(class_word, text):
    assert find({"": f"{text} beside a ball"}, class_word) == []


@pytest.mark.parametrize(
    ("class_word", "other"), list(itertools.permutations(("mouse", "moose", "dress", "glass", "bus"), 2))
)
def test_another_class_word_is_none(class_word, other):
    assert "class-missing" in {one.kind for one in find({"": f"a [v] {other} beside a ball"}, class_word)}


def test_what_the_class_word_owns_may_be_what_is_meant():
    (note,) = find({"": "a [v] dog's bowl on a rug"}, "dog")
    assert (note.kind, note.level, note.words) == ("class-missing", "note", "bowl")
    for text in ("a [v] dog's face on a rug", "a [v] dog's lying on a rug", "a [v] dog's on a rug"):
        assert not [one for one in find({"": text}, "dog") if one.kind == "class-missing"]
