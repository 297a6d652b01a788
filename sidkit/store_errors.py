"""What an error of the disk means for the run store, and what to do about it: added to the error where it passes."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FULL = "its disk is full; free some of it (`sidkit store prune` names what can go), and run this again"
NOT_YOURS = (
    "you may not write or read there; for several users, let their group (umask 002, chmod -R g+rwX), or name another"
)
NO_FOLDER = "expected a folder that is there or can be made; name another, or mount the disk that it is on"
PASSING = "nothing in it was changed; try again when its disk answers"
ADVICE = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EACCES: NOT_YOURS,
    errno.EPERM: NOT_YOURS,
    errno.EROFS: NOT_YOURS,
    errno.EEXIST: NO_FOLDER,
    errno.ENOENT: NO_FOLDER,
    errno.ENOTDIR: NO_FOLDER,
}


@contextmanager
def explained(root: Path, *, full_only: bool = False) -> Iterator[None]:
    """Add to an OSError what it means for the store, and what to do; with `full_only`, to that of a full disk only."""
    try:
        yield
    except OSError as error:
        advice = ADVICE.get(error.errno, PASSING)
        explained_already = advice in str(error.strerror)
        if error.errno is None or explained_already or (full_only and advice != FULL):
            raise
        raise OSError(error.errno, f"{error.strerror}: run store {root}: {advice}", error.filename) from error
