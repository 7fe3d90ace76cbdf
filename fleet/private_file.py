"""A file that holds a secret of the fleet: it is read only if nobody but its owner could have read it too."""

import os
import stat
from pathlib import Path
from typing import Final

from fleet.errors import SettingsUnusable

MODE: Final = 0o600
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_MOST_BYTES: Final = 1024


def read_private(path: Path) -> bytes:
    """What stands in a key's file, at most 1 KiB of it.

    Raises:
        SettingsUnusable: it cannot be read, or others than its owner may; the message names it and what to do.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(_MOST_BYTES)
    except OSError as error:
        raise SettingsUnusable(f"{path}: the key cannot be read: {error.strerror or error}") from error
    if mode & _OTHERS:
        raise SettingsUnusable(f"{path}: others than its owner may use this key; run `chmod 600 {path}`")
    return text
