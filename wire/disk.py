"""What it takes until a file's name survives a power cut."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable: syncing a file keeps its bytes, not that it is called so.

    Raises:
        OSError: the folder is gone, or its disk refuses.
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
