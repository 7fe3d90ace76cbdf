"""Files with secrets in them: who may read them, and the passwords of a campus by the names its own file uses.

No secret stands in the roster, in the campus's file, in the register, in an argument or in a message.
"""

import os
import stat
from pathlib import Path

from pydantic import Field, SecretStr

from provisioning.errors import SecretsRefused
from wire.settings_file import SettingsError, SettingsModel, read_settings


class SecretsFile(SettingsModel):
    """The secrets of a campus by name, such as `classroom = "…"` under `[secrets]`."""

    secrets: dict[str, SecretStr] = Field(default_factory=dict)


def require_private(path: Path) -> None:
    """Pass only a file that nobody but its owner can read.

    Raises:
        SecretsRefused: it cannot be looked at, or others may read it.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise SecretsRefused(f"{path}: cannot be read: {error.strerror or error}") from error
    if mode & 0o077:
        raise SecretsRefused(f"{path}: others may read it (mode {mode:04o}); type: chmod 600 {path}")


def read_secrets(path: Path | None) -> SecretsFile:
    """The secrets in the TOML file at `path`; None has none.

    Raises:
        SecretsRefused: others may read the file, or it is not as it should be. No message holds a secret.
    """
    if path is None:
        return SecretsFile()
    require_private(path)
    try:
        return read_settings(SecretsFile, path)
    except SettingsError as error:
        raise SecretsRefused(str(error)) from error


def write_private(path: Path, content: bytes) -> None:
    """Make a file that only its owner can read, from its first byte on, and that was not there before.

    Raises:
        SecretsRefused: it is there already, or cannot be written.
    """
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise SecretsRefused(f"{path}: cannot be written: {error.strerror or error}") from error
