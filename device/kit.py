"""The kit's pins and cameras, from hardware/kit.toml, so that drawing, wiring list and code cannot drift apart."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

from wire.settings_file import SettingsModel


class KitName(SettingsModel):
    """What the kit is called."""

    name: str


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
    bitrate_bps: int


class KitCoding(SettingsModel):
    """What one board can encode at once: a budget for both cameras, and by what means."""

    model: str
    """How the board's device tree names itself begins with this."""
    encoder: Literal["software", "hardware"]
    overhead: KitCamera
    front: KitCamera


class KitStorage(SettingsModel):
    """The card that the kit comes with."""

    endurance_tb: float
    """How much may be written to it before it is worn, 10^12 bytes."""


class KitAudio(SettingsModel):
    """Whether this kit has a microphone and a loudspeaker; what is not fitted takes no part in readiness."""

    fitted: bool


class Kit(SettingsModel):
    """hardware/kit.toml."""

    kit: KitName
    panel: KitPanel
    boards: tuple[KitCoding, ...]
    storage: KitStorage
    audio: KitAudio

    def board(self, model: str | None) -> KitCoding:
        """The budget of the board called `model`; of an unknown one the last, which asks for least."""
        return next((one for one in self.boards if model and model.startswith(one.model)), self.boards[-1])


@cache
def kit() -> Kit:
    """The kit this release is built for."""
    return Kit.model_validate(tomllib.loads(files("hardware").joinpath("kit.toml").read_text(encoding="utf-8")))
