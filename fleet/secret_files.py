"""Files that hold a secret as text: read as `fleet/private_file.py` reads keys, written whole or not at all."""

import os
from pathlib import Path

from fleet.errors import SettingsUnusable
from fleet.private_file import MODE, read_private
from wire.disk import sync_folder


def read_secret(path: Path, what: str) -> str:
    """The text in the file at `path`, without white space around it.

    Raises:
        SettingsUnusable: it cannot be read, is empty, not UTF-8, or others may read it; the message says what (`what`:
            "the mail password") and what to do.
    """
    try:
        found = read_private(path).decode().strip()
    except UnicodeDecodeError as error:
        raise SettingsUnusable(f"{path}: {what} is not UTF-8; save it anew") from error
    if not found:
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
        fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
        with os.fdopen(fd, "wb") as file:
            file.write(text.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        raise SettingsUnusable(f"{path}: cannot be written: {error.strerror or error}") from error
