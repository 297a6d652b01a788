"""The words of Sticker World: every phrase that can name a factor, as tables and as small builders over them.

A builder returns the synonyms for one value; the grammar picks one of them and the parser knows them all.
Synonyms of the class level and of the detailed level stand in the same order, so one choice serves both.
"""

from __future__ import annotations

from sidkit.stickers import places
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

# Words of prompts that no caption needs, so that a reader's own prompt meets a known vocabulary.
PROMPT_WORDS = (
    "a an the of and or with without on in at by to from for is are has it its this that there one two "
    "photo picture image painting drawing sketch sticker style art background behind under over above below "
    "front left right small big large tiny new old cute happy sky grass water sand holding sitting standing playing"
)


def with_article(phrase: str) -> str:
    """`"owl"` becomes `"an owl"`."""
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def place_phrases(name: str, variant: str | None = None) -> tuple[str, ...]:
    """Synonyms for a place; with a variant, in detail."""
    place = places.ROWS[name]
    if variant is None:
        return place.plain
    endings = place.endings[variant]
    return tuple(f"{start} {ending}" for start in place.detailed for ending in endings)


def nearby_phrases(name: str, color: str | None = None, detail: bool = False) -> tuple[str, ...]:
    """Synonyms for a thing beside the subject; in detail with its colour, if any, and what its drawing always shows."""
    thing = with_article(name)
    if detail:
        _, always_shown = NEARBY[name]
        thing = f"{with_article(_colored(name, color))} {always_shown}"
    return tuple(f"{beside} {thing}" for beside in BESIDE)


def tied_phrases(name: str, color: str | None = None) -> tuple[str, ...]:
    """Synonyms for a thing that the subject wears; with a colour, in detail."""
    thing = _colored(name, color)
    if name not in PLURALS:
        thing = with_article(thing)
    return tuple(f"{wearing} {thing}" for wearing in WEARING)


def style_phrases(style: str) -> tuple[str, ...]:
    """Synonyms for a style that follow the rest of the caption."""
    word, _ = STYLE_PHRASES[style]
    return (f"in the style of {word} art", f"in {word} art style")


def style_openings() -> dict[str, str]:
    """The openings that name a style, with the style that each names."""
    return {opening: style for style, (_, opening) in STYLE_PHRASES.items()}


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
    phrases = [
        *subject_classes(),
        *adjectives(),
        *MATERIALS.values(),
        *OPENINGS,
        *STYLED_OPENINGS,
        *style_openings(),
        "made of",
        PROMPT_WORDS,
    ]
    return " ".join(phrases).split()
