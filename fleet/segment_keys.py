"""The keys to which kiosks seal their video. The private halves are here only: who loses them loses every recording."""

import base64
import binascii
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nacl.public import PrivateKey

from fleet.errors import SettingsUnusable
from fleet.private_file import MODE, read_private
from wire.disk import sync_folder
from wire.segments import key_id


@dataclass(frozen=True, slots=True)
class SegmentKey:
    """One pair of keys."""

    private: PrivateKey
    made: datetime

    @property
    def id(self) -> str:
        """The name that segments sealed to it carry, and its file."""
        return key_id(bytes(self.private.public_key))

    @property
    def public(self) -> str:
        """What kiosks are given, in base64."""
        return base64.b64encode(bytes(self.private.public_key)).decode()


class SegmentKeys:
    """A folder with one file per key, `<key id>.key`: the private key in base64, then when it was made.

    Raises:
        SettingsUnusable: from any method; the message names the file and what to do.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def current(self) -> SegmentKey | None:
        """The newest key, by the moment that stands in its file; None when there is none yet."""
        keys = [_key(path) for path in sorted(self.folder.glob("*.key"))]
        return max(keys, key=lambda key: (key.made, key.id), default=None)

    def find(self, id_: str) -> SegmentKey | None:
        """The key of that id, however old."""
        path = self.folder / f"{id_}.key"
        return _key(path) if path.exists() else None

    def make(self, now: datetime) -> SegmentKey:
        """A fresh key, current from now on; durable on return."""
        key = SegmentKey(PrivateKey.generate(), now)
        path = self.folder / f"{key.id}.key"
        unfinished = path.with_suffix(".new")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
            with os.fdopen(fd, "wb") as file:
                file.write(base64.b64encode(bytes(key.private)) + f"\n{now.isoformat()}\n".encode())
                file.flush()
                os.fsync(file.fileno())
            unfinished.rename(path)
            sync_folder(self.folder)
        except OSError as error:
            raise SettingsUnusable(f"{path}: the key cannot be written: {error.strerror or error}") from error
        return key


def _key(path: Path) -> SegmentKey:
    """The key in a file, if nobody else may read it."""
    text = read_private(path)
    try:
        secret, made = text.decode().splitlines()
        key = SegmentKey(PrivateKey(base64.b64decode(secret, validate=True)), datetime.fromisoformat(made))
    except (ValueError, TypeError, binascii.Error) as error:
        raise SettingsUnusable(f"{path}: not a segment key; restore it from a backup or move it away") from error
    if key.id != path.stem or key.made.tzinfo is None:
        raise SettingsUnusable(f"{path}: this is another key than its name says; restore it from a backup")
    return key
