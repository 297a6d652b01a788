"""The Hugging Face hub, from which the profiles of real models download: what went wrong, and what is there already.

Where downloads come from and go to is set by huggingface_hub's own environment variables: HF_ENDPOINT (a mirror),
HF_HOME or HF_HUB_CACHE (the folder), HF_HUB_OFFLINE=1 (never ask the network), HF_TOKEN (who asks; never printed).
Downloads start in `load_pipeline` and the like on first use, or beforehand by `sidkit fetch PROFILE`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from huggingface_hub import constants, errors, try_to_load_from_cache


def advice(error: BaseException, reference: str, otherwise: str) -> str:
    """What to do about a failed download of `reference` (a hub id), from the cause in the error's chain.

    `otherwise` is returned where the hub is not the cause.
    """
    page = f"{constants.ENDPOINT}/{reference}"
    for cause in _chain(error):
        match cause:
            case errors.GatedRepoError():
                return f"accept the model's licence at {page}, then run `hf auth login` (or set HF_TOKEN)"
            case errors.RepositoryNotFoundError():
                told = f"the hub knows no {reference}, or only for those who are logged in"
                return f"{told}: look at {page}; name another in the profile's pipeline, or run `hf auth login`"
            case errors.RevisionNotFoundError():
                return f"the revision is not there: choose one of {page}/commits/main for the profile's revision"
            case errors.LocalEntryNotFoundError() | errors.OfflineModeIsEnabled():
                told = f"is the network there? {constants.ENDPOINT} does not answer, or HF_HUB_OFFLINE is set"
                return f"{told}; set HF_ENDPOINT to a mirror, or HF_HOME to a folder that has the model; {otherwise}"
    return otherwise


def cached(reference: str, file: str, revision: str | None = None) -> Path | None:
    """Where a file of a hub's repository lies on this machine; None where it was never downloaded."""
    found = try_to_load_from_cache(reference, file, revision=revision)
    return Path(found) if isinstance(found, str) else None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
