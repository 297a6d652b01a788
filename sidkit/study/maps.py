"""What `[v]` looks at in the models of a study: maps of the drawn pictures and of the references, kept in the store."""

from __future__ import annotations

from pathlib import Path

from sidkit.mark import class_caption, insert
from sidkit.study.pieces.watched import Seen, Watched, read_seen, watch
from sidkit.study.run import Study
from sidkit.subjects import load_images


def see(study: Study, subject: str, arm: str, convention: str = "mean") -> Seen:
    """Draw the pictures of a subject and arm once more, and watch `[v]`; and let the model look at the references.

    The references are looked at with the usual caption "a photo of a [v] dog" in every arm. No model is trained where
    the store has its weights.
    """
    shown, identifier = study.subjects[subject], study.plan.profile.identifier
    pictures = study.folders[subject, arm]
    drawn = study.drawn(subject, arm)
    wanted = Watched(
        drawn=drawn,
        pictures=pictures.name,
        word=identifier,
        convention=convention,
        references=load_images(shown),
        caption=insert(class_caption(shown.class_word, of_style=shown.of_style), identifier),
        seed=study.plan.seed,
    )

    def make(folder: Path) -> None:
        watch(wanted, study.workshop.pipeline(drawn.model), pictures, folder)

    kept = study.workshop.runs.get(
        "attention",
        wanted,
        make,
        code=[Watched, type(drawn.model)],
        then=lambda: study.workshop.forget(drawn.model),
    )
    return read_seen(kept)
