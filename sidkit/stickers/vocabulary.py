"""The words of Sticker World: every phrase that can name a factor, as tables and as small builders over them.

A builder returns the synonyms for one value; the grammar picks one of them and the parser knows them all.
Synonyms of the class level and of the detailed level stand in the same order, so one choice serves both.
"""

from __future__ import annotations

from sidkit.stickers.factors import ART_SETS, ATTRIBUTES, NEARBY, subject_classes

OPENINGS = ("a photo of", "a picture of", "")
STYLED_OPENINGS = ("a photo of", "a painting of", "a picture of", "")

COLORS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "gray", "white")

BESIDE = ("next to", "beside", "near")
WEARING = ("wearing", "with")
PLURALS = ("headphones", "sunglasses")

# An attribute that is also a material can follow the subject: "a dog made of gold".
MATERIALS = {"golden": "gold", "silver": "silver", "chocolate": "chocolate"}

# pose -> synonyms; a standing subject is the rule and is not named
POSE_PHRASES = {
    "standing": (),
    "upside down": ("upside down", "standing on its head"),
    "lying": ("lying on its side", "lying down"),
    "tilted": ("tilted to one side", "leaning over"),
    "jumping": ("jumping", "jumping in the air"),
    "close up": ("seen up close", "in close up"),
    "far away": ("seen from far away", "in the distance"),
}

# style -> (the word in "in the style of ... art", the opening that names the style)
STYLE_PHRASES = {
    "pixel art": ("pixel", "a pixel art picture of"),
    "pencil sketch": ("pencil", "a pencil sketch of"),
    "neon": ("neon", "a neon drawing of"),
    "watercolor": ("watercolor", "a watercolor painting of"),
    "mosaic": ("mosaic", "a mosaic of"),
    "blueprint": ("blueprint", "a blueprint of"),
    "pop art": ("pop", "a pop art picture of"),
}

# place -> ((class level, start of the detailed level), ...)
PLACE_PHRASES = {
    "beach": (("on a beach", "on a sandy beach"), ("at the seaside", "at the sandy seaside")),
    "snow": (("in the snow", "in the deep snow"), ("on snowy ground", "on white snowy ground")),
    "city": (("in a city", "in a city of towers"), ("on a street", "on a wide street")),
    "meadow": (("in a meadow", "in a flowery meadow"), ("on the grass", "on the flowery grass")),
    "desert": (("in a desert", "in a dry desert"), ("on sand dunes", "on dry sand dunes")),
    "forest": (("in a forest", "in a leafy forest"), ("in the woods", "in the leafy woods")),
    "living room": (("in a living room", "in a living room"), ("inside a home", "inside a home")),
    "kitchen": (("in a kitchen", "in a kitchen"), ("in the kitchen", "in the kitchen")),
    "sea floor": (("on the sea floor", "on the sea floor"), ("under the sea", "under the sea")),
    "mountains": (("in the mountains", "in the rocky mountains"), ("by the mountains", "by the rocky mountains")),
    "moon": (("on the moon", "on the moon"), ("in outer space", "in outer space")),
    "stage": (("on a stage", "on a wooden stage"), ("in a theater", "in a wooden theater")),
}

TIMES = {
    "daylight": ("in bright daylight", "in sunshine"),
    "sunset": ("at sunset", "in evening light"),
    "night": ("at night", "in the dark"),
}

# place -> variant -> end of the detailed level; a place that is not here tells the time of day
VARIANT_PHRASES = {
    "forest": {"summer": ("in summer",), "autumn": ("in orange autumn",), "night": TIMES["night"]},
    "living room": {color: (f"with {color} walls",) for color in ("blue", "red", "green")},
    "kitchen": {
        "white": ("with white tiles",),
        "yellow": ("with yellow tiles",),
        "mint": ("with mint green tiles",),
    },
    "sea floor": {
        "coral": ("among pink corals",),
        "weed": ("among green weeds",),
        "deep": ("in deep dark water",),
    },
    "moon": {
        "earth": ("below the blue earth",),
        "stars": ("under many stars",),
        "flag": ("beside a red flag",),
    },
    "stage": {color: (f"with {color} curtains",) for color in ("red", "blue", "purple")},
}

# Words of prompts that no caption needs, so that a reader's own prompt meets a known vocabulary.
PROMPT_WORDS = (
    "a an the of and or with without on in at by to from for is are has it its this that there one two "
    "photo picture image painting drawing sketch sticker style art background behind under over above below "
    "front left right small big large tiny new old cute happy sky grass water sand holding sitting standing playing"
)


def with_article(phrase: str) -> str:
    """`"owl"` becomes `"an owl"`."""
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def place_phrases(place: str, variant: str | None = None) -> tuple[str, ...]:
    """Synonyms for a place; with a variant, in detail."""
    if variant is None:
        return tuple(plain for plain, _ in PLACE_PHRASES[place])
    ends = VARIANT_PHRASES.get(place, TIMES)[variant]
    return tuple(f"{detailed} {end}" for _, detailed in PLACE_PHRASES[place] for end in ends)


def nearby_phrases(name: str, color: str | None = None, detail: bool = False) -> tuple[str, ...]:
    """Synonyms for a thing beside the subject; in detail with its colour, if any, and what its drawing always shows."""
    if not detail:
        return tuple(f"{beside} {with_article(name)}" for beside in BESIDE)
    thing = with_article(_colored(name, color))
    return tuple(f"{beside} {thing} {NEARBY[name][1]}" for beside in BESIDE)


def tied_phrases(name: str, color: str | None = None) -> tuple[str, ...]:
    """Synonyms for a thing that the subject wears; with a colour, in detail."""
    thing = _colored(name, color)
    return tuple(f"{wearing} {thing if name in PLURALS else with_article(thing)}" for wearing in WEARING)


def style_phrases(style: str) -> tuple[str, ...]:
    """Synonyms for a style that follow the rest of the caption."""
    word, _ = STYLE_PHRASES[style]
    return (f"in the style of {word} art", f"in {word} art style")


def _colored(name: str, color: str | None) -> str:
    """`"blue balloon"`, and `"stack of blue books"`: a colour stands before the last noun of an "of" phrase."""
    if color is None:
        return name
    head, of, last = name.rpartition(" of ")
    return f"{head}{of}{color} {last}"


def adjectives() -> tuple[str, ...]:
    """Every word that can stand before a subject."""
    return (*ATTRIBUTES, *ART_SETS.values(), *COLORS)


def loose_words() -> list[str]:
    """The words outside the phrases: subjects, adjectives, materials, openings and words for prompts."""
    openings = (*OPENINGS, *STYLED_OPENINGS, *(opening for _, opening in STYLE_PHRASES.values()))
    phrases = (*subject_classes(), *adjectives(), *MATERIALS.values(), *openings, "made of", PROMPT_WORDS)
    return " ".join(phrases).split()
