"""Files that hold a secret: refused while others than their owner may read them."""

import os
import stat
from pathlib import Path
from typing import Final

from fleet.errors import SettingsUnusable
from wire.disk import sync_folder

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_MOST_BYTES: Final = 4_096


def read_secret(path: Path, what: str) -> str:
    """The text in the file at `path`, without white space around it.

    Raises:
        SettingsUnusable: it cannot be read, is empty, too long, not UTF-8, or others may read it; the message says
            what (`what`: "the mail password") and what to do.
    """
    try:
        with path.open("rb") as file:
            mode, text = os.fstat(file.fileno()).st_mode, file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise SettingsUnusable(f"{path}: {what} cannot be read: {error.strerror or error}") from error
    if mode & _OTHERS:
        raise SettingsUnusable(f"{path}: others than its owner may read {what}; run `chmod 600 {path}`")
    try:
        found = text.decode().strip()
    except UnicodeDecodeError as error:
        raise SettingsUnusable(f"{path}: {what} is not UTF-8; save it anew") from error
    if not found or len(text) > _MOST_BYTES:
        raise SettingsUnusable(f"{path}: {what} is not in it; write it alone into this file")
    return found


def write_secret(path: Path, text: str) -> None:
    """Put `text` into the file at `path`, mode 0600, the old text or the new one whatever happens.

    Raises:
        SettingsUnusable: it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished.unlink(missing_ok=True)
        fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(text.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        raise SettingsUnusable(f"{path}: cannot be written: {error.strerror or error}") from error
