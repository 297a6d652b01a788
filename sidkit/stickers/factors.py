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
FURTHER = tuple(f"further {n}" for n in range(1, 29))


@dataclass(frozen=True)
class Subject:
    """One subject class: its name in the art index, the designs that exist, and the held-out design."""

    art: str
    held_out: str
    excluded: tuple[str, ...] = ()


# Excluded: a face where the class shows a body, a second object, or a picture's own background.
SUBJECTS = {
    "dog": Subject("dog", "noto", ("fxemoji",)),
    "cat": Subject("cat", "emojione", ("fxemoji",)),
    "chicken": Subject("rooster", "noto"),
    "penguin": Subject("penguin", "fluent"),
    "horse": Subject("horse", "fluent"),
    "cow": Subject("cow", "fluent"),
    "pig": Subject("pig", "fluent", ("fxemoji",)),
    "sheep": Subject("sheep", "blob"),
    "elephant": Subject("elephant", "emojione"),
    "mouse": Subject("mouse", "blob", ("fxemoji",)),
    "rabbit": Subject("rabbit", "blob"),
    "turtle": Subject("turtle", "emojione"),
    "octopus": Subject("octopus", "emojione"),
    "crab": Subject("crab", "fluent"),
    "snail": Subject("snail", "emojione"),
    "fish": Subject("fish", "blob", ("emojione",)),
    "whale": Subject("whale", "emojione"),
    "bee": Subject("bee", "emojione"),
    "ladybug": Subject("ladybug", "noto"),
    "monkey": Subject("monkey", "fluent"),
    "owl": Subject("owl", "emojione"),
    "butterfly": Subject("butterfly", "emojione"),
    "camel": Subject("camel", "blob"),
    "squirrel": Subject("chipmunk", "emojione"),
    "robot": Subject("robot", "fluent"),
    "backpack": Subject("backpack", "emojione"),
    "boot": Subject("boot", "fluent", ("blob",)),
    "guitar": Subject("guitar", "fluent"),
    "alarm clock": Subject("alarm clock", "blob"),
    "camera": Subject("camera", "fxemoji"),
    "car": Subject("car", "blob"),
    "bus": Subject("bus", "emojione"),
    "tractor": Subject("tractor", "fxemoji"),
    "rocket": Subject("rocket", "blob", ("noto",)),
    "house": Subject("house", "emojione", ("fxemoji",)),
    "cake": Subject("cake", "emojione"),
}

# Classes that pretraining never shows and never names.
TEST_SUBJECTS = {
    "tiger": Subject("tiger", "fluent", ("emojione", "fxemoji")),
    "crocodile": Subject("crocodile", "emojione", ("fluent",)),
    "helicopter": Subject("helicopter", "fxemoji"),
    "television": Subject("television", "emojione"),
    "telephone": Subject("telephone", "emojione"),
    "duck": Subject("duck", "twemoji", ("emojione",)),
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
        known = {
            "subject": (*SUBJECTS, *TEST_SUBJECTS),
            "design": (*ART_SETS, *FURTHER),
            "background": tuple(PLACES),
            "variant": PLACES.get(self.background, ()),
            "hue": HUES,
            "attribute": (None, *ATTRIBUTES),
            "nearby": (None, *NEARBY),
            "nearby_color": (None, *OBJECT_COLORS),
            "tied": (None, *TIED),
            "tied_color": (None, *OBJECT_COLORS),
            "style": (None, *STYLES, *TEST_STYLES),
            "pose": POSES,
        }
        for factor, values in known.items():
            if getattr(self, factor) not in values:
                raise ValueError(
                    f"scene: {factor} is {getattr(self, factor)!r}, expected one of {', '.join(map(str, values))}"
                )

    def without(self, *factors: str) -> Scene:
        """The same scene with the named optional factors taken away."""
        return replace(self, **{factor: "standing" if factor == "pose" else None for factor in factors})


def subject_classes() -> dict[str, Subject]:
    """Every subject class, those held out for testing included."""
    return SUBJECTS | TEST_SUBJECTS
