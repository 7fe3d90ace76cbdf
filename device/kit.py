"""The kit's pins and cameras, from hardware/kit.toml, so that drawing, wiring list and code cannot drift apart."""

import tomllib
from functools import cache
from importlib.resources import files

from wire.settings_file import SettingsModel


class KitName(SettingsModel):
    """What the kit is called and which boards carry it."""

    name: str
    boards: tuple[str, ...]


class KitPanel(SettingsModel):
    """BCM pin numbers."""

    button_pin: int
    lamp_pin: int
    camera_lamp_pin: int


class KitCamera(SettingsModel):
    """What one camera is asked for, in pixels and frames per second."""

    width: int
    height: int
    fps: float


class KitAudio(SettingsModel):
    """Whether this kit has a microphone and a loudspeaker; what is not fitted takes no part in readiness."""

    fitted: bool


class Kit(SettingsModel):
    """hardware/kit.toml."""

    kit: KitName
    panel: KitPanel
    cameras: dict[str, KitCamera]
    audio: KitAudio


@cache
def kit() -> Kit:
    """The kit this release is built for."""
    return Kit.model_validate(tomllib.loads(files("hardware").joinpath("kit.toml").read_text(encoding="utf-8")))
