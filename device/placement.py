"""What was found out about this kiosk's cameras when they were set up, and who confirmed it: one file.

It holds which device has which role when the two were found exchanged, and each camera's reference.
"""

import logging
import os
import time
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from device.cameras.source import CameraSpec
from device.errors import PlacementUnwritable
from wire.disk import sync_folder

_log = logging.getLogger(__name__)

FILE: Final = "cameras.json"
Person: TypeAlias = Literal["it", "aide", "therapist"]
"""In which role somebody confirmed; nobody's name."""


class CameraReference(BaseModel):
    """One camera as it was when somebody found it good."""

    model_config = ConfigDict(frozen=True)

    uri: str
    """The device; another one in its stead has to be set up anew."""
    width: int
    height: int
    px_per_mm: float | None = None
    edge_mm: float | None = None
    """How wide a printed edge looked: its focus."""
    reference: dict[str, Any]
    """As `device.vision.stored.to_plain` has it."""

    def is_of(self, spec: CameraSpec) -> bool:
        """Whether it was made of this camera, as it is asked for now."""
        return (self.uri, self.width, self.height) == (spec.uri, spec.width, spec.height)


class Commissioned(BaseModel):
    """When and by whom the cameras were found good."""

    model_config = ConfigDict(frozen=True)

    at: AwareDatetime
    by: Person
    cameras: dict[str, CameraReference]
    """By role."""


class Placement(BaseModel):
    """All of it."""

    model_config = ConfigDict(frozen=True)

    exchanged: bool = False
    """Whether the device that the settings call overhead is the front one, and the other way round."""
    commissioned: Commissioned | None = None

    def reference(self, spec: CameraSpec) -> dict[str, Any] | None:
        """The reference of this camera, if it was set up as it is now."""
        of = self.commissioned.cameras.get(spec.role) if self.commissioned is not None else None
        return of.reference if of is not None and of.is_of(spec) else None

    def stands(self, *specs: CameraSpec) -> bool:
        """Whether all of these cameras are as they were set up."""
        return all(self.reference(spec) is not None for spec in specs)


def load(folder: Path) -> Placement:
    """What is stored in `folder`; nothing where there is no file.

    One that cannot be read is set aside and counts as none: a kiosk that has to be set up anew still works.
    """
    path = folder / FILE
    try:
        return Placement.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Placement()
    except (OSError, ValidationError) as error:
        set_aside = path.with_name(f"{FILE}.damaged-{time.time_ns()}")
        _log.error("%s cannot be used (%s); the cameras have to be set up anew", path, _short(error))
        try:
            path.rename(set_aside)
        except OSError as refused:
            _log.warning("%s cannot be set aside: %s", path, refused)
        return Placement()


def save(folder: Path, placement: Placement) -> None:
    """Store it; durable on return, and after a power cut there is the old one or the new one.

    Raises:
        PlacementUnwritable: the disk refuses; what was stored before is still there.
    """
    path = folder / FILE
    fresh = path.with_name(f".{FILE}.new")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            file.write(placement.model_dump_json())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        sync_folder(folder)
    except OSError as error:
        raise PlacementUnwritable(
            f"The set-up of the cameras cannot be kept ({error.strerror or error}): "
            "look at the disk of this kiosk, then confirm again."
        ) from error


def _short(error: OSError | ValidationError) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    first = error.errors()[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
