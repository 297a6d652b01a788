"""What a Sticker World scene is made of: the factors, their values, and which of them are held out.

The values are names, not pictures (`atlas`) and not sentences (`grammar`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sidkit.stickers import places

# Art sets, with the word that a caption uses for each way of drawing.
ART_SETS = {
    "fluent": "glossy",
    "noto": "shaded",
    "blob": "rounded",
    "twemoji": "flat",
    "emojione": "cartoon",
    "fxemoji": "simple",
}

# Designs from outside the world; a class has some or all of them.
FURTHER_DESIGNS = tuple(f"further {n}" for n in range(1, 29))


@dataclass(frozen=True)
class SubjectClass:
    """A class of subjects: the design of it that no training shows."""

    held_out: str


# `art/sources.json` says which designs there are. It leaves out faces where the class shows a body, drawings with a
# second object, and pictures with a background of their own.
SUBJECTS = {
    "dog": SubjectClass("noto"),
    "cat": SubjectClass("emojione"),
    "chicken": SubjectClass("noto"),
    "penguin": SubjectClass("fluent"),
    "horse": SubjectClass("fluent"),
    "cow": SubjectClass("fluent"),
    "pig": SubjectClass("fluent"),
    "sheep": SubjectClass("blob"),
    "elephant": SubjectClass("emojione"),
    "mouse": SubjectClass("blob"),
    "rabbit": SubjectClass("blob"),
    "turtle": SubjectClass("emojione"),
    "octopus": SubjectClass("emojione"),
    "crab": SubjectClass("fluent"),
    "snail": SubjectClass("emojione"),
    "fish": SubjectClass("blob"),
    "whale": SubjectClass("emojione"),
    "bee": SubjectClass("emojione"),
    "ladybug": SubjectClass("noto"),
    "monkey": SubjectClass("fluent"),
    "owl": SubjectClass("emojione"),
    "butterfly": SubjectClass("emojione"),
    "camel": SubjectClass("blob"),
    "squirrel": SubjectClass("emojione"),
    "robot": SubjectClass("fluent"),
    "backpack": SubjectClass("emojione"),
    "boot": SubjectClass("fluent"),
    "guitar": SubjectClass("fluent"),
    "alarm clock": SubjectClass("blob"),
    "camera": SubjectClass("fxemoji"),
    "car": SubjectClass("blob"),
    "bus": SubjectClass("emojione"),
    "tractor": SubjectClass("fxemoji"),
    "rocket": SubjectClass("blob"),
    "house": SubjectClass("emojione"),
    "cake": SubjectClass("emojione"),
}

# Classes that pretraining never shows and never names.
TEST_SUBJECTS = {
    "tiger": SubjectClass("fluent"),
    "crocodile": SubjectClass("emojione"),
    "helicopter": SubjectClass("fxemoji"),
    "television": SubjectClass("emojione"),
    "telephone": SubjectClass("emojione"),
    "duck": SubjectClass("twemoji"),
}

# name -> (picture's name in the Noto set, detail that the picture always shows)
NEARBY = {
    "ball": ("soccer-ball", "with a stitched pattern"),
    "balloon": ("balloon", "on a string"),
    "gift": ("wrapped-gift", "tied with a ribbon"),
    "cactus": ("cactus", "with short arms"),
    "umbrella": ("umbrella", "standing open"),
    "candle": ("candle", "with a small flame"),
    "mushroom": ("mushroom", "with a spotted cap"),
    "pumpkin": ("jack-o-lantern", "with a carved face"),
    "sunflower": ("sunflower", "with wide petals"),
    "tree": ("evergreen-tree", "with pointed branches"),
    "snowman": ("snowman", "with stick arms"),
    "stack of books": ("books", "leaning a little"),
    "chair": ("chair", "with a straight back"),
    "bucket": ("bucket", "with a thin handle"),
    "trophy": ("trophy", "with two handles"),
    "drum": ("drum", "with a pair of sticks"),
}

# name -> (picture's name in the Noto set, where it is worn: on the head, over the eyes, or at the neck)
TIED = {
    "top hat": ("top-hat", "head"),
    "crown": ("crown", "head"),
    "cap": ("billed-cap", "head"),
    "sun hat": ("womans-hat", "head"),
    "graduation cap": ("graduation-cap", "head"),
    "helmet": ("rescue-workers-helmet", "head"),
    "bow": ("ribbon", "head"),
    "headphones": ("headphone", "ears"),
    "sunglasses": ("sunglasses", "eyes"),
    "scarf": ("scarf", "neck"),
    "medal": ("sports-medal", "neck"),
    "flower": ("hibiscus", "side"),
}

OBJECT_COLORS = ("red", "yellow", "green", "blue", "purple", "white")

PLACES = {name: place.variants for name, place in places.ROWS.items()}

STYLES = ("pixel art", "pencil sketch", "neon", "watercolor", "mosaic")
TEST_STYLES = ("blueprint", "pop art")

POSES = ("standing", "upside down", "lying", "tilted", "jumping", "close up", "far away")

# What a subject can be turned into: colours, then materials (a property edit of the paper's Fig. 11).
ATTRIBUTES = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "golden", "silver", "chocolate")

# Degrees of hue rotation that make another instance of the same drawing.
HUES = (0, 60, 120, 180, 240, 300)


@dataclass(frozen=True)
class Scene:
    """The factors of one picture. `None` means that the thing is not there (or, for a style, a plain sticker)."""

    subject: str
    design: str
    background: str
    variant: str
    hue: int = 0
    attribute: str | None = None
    nearby: str | None = None
    nearby_color: str | None = None
    tied: str | None = None
    tied_color: str | None = None
    style: str | None = None
    pose: str = "standing"

    def __post_init__(self) -> None:
        for factor, values in _values(self.background).items():
            value = getattr(self, factor)
            if value not in values:
                raise ValueError(f"scene: {factor} is {value!r}, expected one of {', '.join(map(str, values))}")

    def without(self, *factors: str) -> Scene:
        """The same scene with the named optional factors taken away."""
        taken = {factor: "standing" if factor == "pose" else None for factor in factors}
        return replace(self, **taken)


def _values(place: str) -> dict[str, tuple]:
    """What each factor of a scene in a place can be."""
    return {
        "subject": tuple(subject_classes()),
        "design": (*ART_SETS, *FURTHER_DESIGNS),
        "background": tuple(PLACES),
        "variant": PLACES.get(place, ()),
        "hue": HUES,
        "attribute": (None, *ATTRIBUTES),
        "nearby": (None, *NEARBY),
        "nearby_color": (None, *OBJECT_COLORS),
        "tied": (None, *TIED),
        "tied_color": (None, *OBJECT_COLORS),
        "style": (None, *STYLES, *TEST_STYLES),
        "pose": POSES,
    }


def subject_classes() -> dict[str, SubjectClass]:
    """Every subject class, those held out for testing included."""
    return SUBJECTS | TEST_SUBJECTS
