"""Where does a test server write? Into a folder that names its process, so that what a killed one left is swept later."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path


def folder(kind: str, below: str | None) -> Path:
    """A fresh folder that only this user can read; folders of the same kind whose processes are gone are removed."""
    parent = Path(below or tempfile.gettempdir())
    for left in parent.glob(f"{kind}-*-*"):
        owner = left.name.split("-")[-2]
        if owner.isdigit() and not _runs(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{kind}-{os.getpid()}-", dir=parent))


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
