"""The kit's pins, cameras and display, from hardware/kit.toml, so that drawing, wiring and code cannot drift apart."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Literal, TypeAlias

from wire.settings_file import SettingsModel

Point: TypeAlias = tuple[float, float]
"""x to the right and y down, in millimetres."""


class KitDisplay(SettingsModel):
    """The least that the kiosk's page is made for."""

    width_px: int
    height_px: int
    touch: bool


class KitName(SettingsModel):
    """What the kit is called, at which sides of a session it stands, and its display."""

    name: str
    sides: tuple[str, ...]
    display: KitDisplay


class KitPanel(SettingsModel):
    """BCM pin numbers."""

    button_pin: int
    lamp_pin: int
    camera_lamp_pin: int
    overhead_shutter_pin: int | None = None
    """A contact to ground that is closed while the camera's shutter is; None where none is fitted."""
    front_shutter_pin: int | None = None


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
    microphone: str = ""
    """USB id, `vendor:product`; empty: the first USB device that captures."""
    speaker: str = ""


class KitMarker(SettingsModel):
    """One ArUco marker of the mat, and where its middle is."""

    id: int
    x_mm: float
    y_mm: float


class KitMat(SettingsModel):
    """The desk mat: millimetres from the upper left corner of its printed face, as the student sees it."""

    dictionary: str
    """OpenCV's name for the set that the markers are from."""
    width_mm: float
    height_mm: float
    marker_side_mm: float
    quiet_mm: float
    """How much white there is around a marker at least."""
    rule_mm: float
    markers: tuple[KitMarker, ...]
    """Clockwise from the upper left."""

    @property
    def marker_ids(self) -> tuple[int, ...]:
        """Clockwise from the upper left."""
        return tuple(one.id for one in self.markers)

    def marker_corners_mm(self, marker_id: int) -> tuple[Point, Point, Point, Point]:
        """The corners of a marker's black square, clockwise from its upper left, as OpenCV gives them.

        Raises:
            KeyError: the mat has no such marker.
        """
        one = {each.id: each for each in self.markers}[marker_id]
        half = self.marker_side_mm / 2
        left, right, top, bottom = one.x_mm - half, one.x_mm + half, one.y_mm - half, one.y_mm + half
        return (left, top), (right, top), (right, bottom), (left, bottom)

    @property
    def plain(self) -> dict[str, Any]:
        """What a camera's worker is told of it, as JSON allows: its size, and each marker's corners by its id."""
        corners = {str(one): self.marker_corners_mm(one) for one in self.marker_ids}
        return {"width_mm": self.width_mm, "height_mm": self.height_mm, "markers": corners}


class KitPicture(SettingsModel):
    """The picture of one student card, and the marker beside it."""

    id: int
    name: str


class KitCards(SettingsModel):
    """The student cards: who holds which is known to the fleet's schedule alone."""

    dictionary: str
    marker_side_mm: float
    quiet_mm: float
    pictures: tuple[KitPicture, ...]

    @property
    def names(self) -> dict[int, str]:
        """What is on the card with this marker."""
        return {one.id: one.name for one in self.pictures}

    @property
    def plain(self) -> dict[str, Any]:
        """What a camera's worker is told of them, as JSON allows: markers' numbers and size, no picture's name."""
        return {"numbers": sorted(self.names), "side_mm": self.marker_side_mm}


class Kit(SettingsModel):
    """hardware/kit.toml."""

    kit: KitName
    panel: KitPanel
    boards: tuple[KitCoding, ...]
    storage: KitStorage
    audio: KitAudio
    mat: KitMat
    cards: KitCards
    # What only those who build a kit need: read, and held together, by hardware/ and its tests.
    wiring: dict[str, Any]
    mount: dict[str, Any]
    lenses: tuple[dict[str, Any], ...]
    costs: dict[str, Any]
    parts: tuple[dict[str, Any], ...]

    def board(self, model: str | None) -> KitCoding:
        """The budget of the board called `model`; of an unknown one the last, which asks for least."""
        return next((one for one in self.boards if model and model.startswith(one.model)), self.boards[-1])


@cache
def kit() -> Kit:
    """The kit this release is built for."""
    return Kit.model_validate(tomllib.loads(files("hardware").joinpath("kit.toml").read_text(encoding="utf-8")))
