"""Selectively Informative Description: what to say in a training caption so that [v] keeps only the subject.

This is the front door: the names that a script of your own needs. Each is fetched from its room when it is first asked
for, so that `import sidkit` itself takes no time and loads nothing.

    import sidkit

    profile = sidkit.load_profile("stickers")
    pipe = sidkit.load_pipeline(profile)
    findings = sidkit.check_folder("photos/my_cat")

The rooms (modules and folders) are nouns in general: `config`, `generation`, `personalization`. What the door offers
are verbs, classes, and what the paper has a name for: its measures, and the captions of its cases. So no name is both a
room and something to call.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sidkit import torchvision_ops

if TYPE_CHECKING:  # what editors and type checkers read; a test holds it against what follows
    from sidkit.attention import capture as capture
    from sidkit.check.subject import check_folder as check_folder
    from sidkit.config import load_profile as load_profile
    from sidkit.describe.cases import captions_of_case as captions_of_case
    from sidkit.describe.folder import describe_folder as describe_folder
    from sidkit.generation import generate as generate
    from sidkit.measure.instruments import Instruments as Instruments
    from sidkit.measure.metrics import non_subject_disentanglement as non_subject_disentanglement
    from sidkit.measure.metrics import subject_alignment as subject_alignment
    from sidkit.measure.metrics import text_alignment as text_alignment
    from sidkit.models import load_pipeline as load_pipeline
    from sidkit.personalization.loop import personalize as personalize
    from sidkit.personalization.saving import load_personalized as load_personalized
    from sidkit.personalization.saving import save_personalized as save_personalized
    from sidkit.runs import Runs as Runs
    from sidkit.study.plan import make_plan as make_plan
    from sidkit.study.run import run_study as run_study
    from sidkit.subjects import load_images as load_images
    from sidkit.subjects import load_subject as load_subject

_ROOM_OF = {
    "load_profile": "sidkit.config",
    "load_pipeline": "sidkit.models",
    "load_subject": "sidkit.subjects",
    "load_images": "sidkit.subjects",
    "captions_of_case": "sidkit.describe.cases",
    "describe_folder": "sidkit.describe.folder",
    "check_folder": "sidkit.check.subject",
    "personalize": "sidkit.personalization.loop",
    "save_personalized": "sidkit.personalization.saving",
    "load_personalized": "sidkit.personalization.saving",
    "generate": "sidkit.generation",
    "capture": "sidkit.attention",
    "Instruments": "sidkit.measure.instruments",
    "subject_alignment": "sidkit.measure.metrics",
    "non_subject_disentanglement": "sidkit.measure.metrics",
    "text_alignment": "sidkit.measure.metrics",
    "make_plan": "sidkit.study.plan",
    "run_study": "sidkit.study.run",
    "Runs": "sidkit.runs",
}
__all__ = list(_ROOM_OF)

torchvision_ops.install()


def __getattr__(name: str) -> Any:
    """What the door offers under a name, and from then on that itself (PEP 562)."""
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'sidkit' has no attribute {name!r}")
    globals()[name] = getattr(import_module(_ROOM_OF[name]), name)
    return globals()[name]


def __dir__() -> list[str]:
    """The names that can be had, whether they were asked for or not."""
    return sorted({*globals(), *__all__})
