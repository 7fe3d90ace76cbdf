"""What a camera sees of the desk, from its lens and its height: python -m hardware.geometry --lens cm3 --height-mm 450.

A pinhole: what lies `h` away is drawn `focal / h` times as large. Good to a few per cent for these lenses, which are
made to draw straight; the mat under the camera gives the true figure (`carrel-kiosk selftest`).
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import atan, degrees, isfinite
from typing import Any, Final

from hardware.tables import kit, kit_table

READS_PX_PER_MM: Final = 3.0
"""What handwriting needs; tests hold it to wire.stills.SHARP_PX_PER_MM, which this package may not import."""
MARGIN_MM: Final = 30.0
"""Of desk round the mat: a mount turned by two degrees at 450 mm moves the picture by 16 mm, and a mat slides."""


@dataclass(frozen=True, slots=True)
class Lens:
    """A sensor and the lens before it."""

    id: str
    name: str
    sensor_px: tuple[int, int]
    """Width and height of the part that a 16:9 picture is made of."""
    pixel_um: float
    focal_mm: float
    focus: str
    given_deg: tuple[float, float] | None = None
    """The maker's horizontal and vertical angle of view; None where none is given."""

    @property
    def sensor_mm(self) -> tuple[float, float]:
        """Width and height of that part."""
        width, height = (px * self.pixel_um / 1000 for px in self.sensor_px)
        return width, height


@dataclass(frozen=True, slots=True)
class View:
    """What a camera that looks straight down sees of a flat desk."""

    width_mm: float
    height_mm: float
    across_deg: float
    down_deg: float
    px_per_mm: float
    focus_dioptres: float
    """Where to hold the lens, 1 / metres: `focus_dioptres` in kiosk.toml."""

    @property
    def reads_handwriting(self) -> bool:
        """Whether handwriting has the pixels that it needs."""
        return self.px_per_mm >= READS_PX_PER_MM

    def margins_mm(self, width_mm: float, height_mm: float) -> tuple[float, float]:
        """What is left beside, and above and below, of something that lies in the middle; negative: it does not fit."""
        return (self.width_mm - width_mm) / 2, (self.height_mm - height_mm) / 2


def lenses() -> dict[str, Lens]:
    """The lenses of kit.toml, by id."""
    return {one["id"]: Lens(**_tupled(one)) for one in kit()["lenses"]}


def view(lens: Lens, distance_mm: float, picture_px: int) -> View:
    """What is seen from `distance_mm`, in a picture `picture_px` wide.

    Args:
        lens: sensor and lens.
        distance_mm: from the lens to the desk; the optics' own length of a few millimetres is left out.
        picture_px: how wide the picture is that is sent, made of the whole sensor's width.

    Raises:
        ValueError: a distance within twice the focal length, where a pinhole says nothing, or without end; no picture.
    """
    if not (distance_mm > 2 * lens.focal_mm and isfinite(distance_mm)):
        raise ValueError(
            f"{distance_mm:g} mm is no height for a lens of {lens.focal_mm:g} mm; give the height in mm, as 450"
        )
    if picture_px < 1:
        raise ValueError(f"a picture {picture_px} pixels wide shows nothing; give its width, as 1920")
    across, down = lens.sensor_mm
    width = across / lens.focal_mm * distance_mm
    return View(
        width_mm=width,
        height_mm=down / lens.focal_mm * distance_mm,
        across_deg=2 * degrees(atan(across / 2 / lens.focal_mm)),
        down_deg=2 * degrees(atan(down / 2 / lens.focal_mm)),
        px_per_mm=picture_px / width,
        focus_dioptres=1000 / distance_mm,
    )


def heights_mm(lens: Lens, picture_px: int, width_mm: float, height_mm: float) -> tuple[float, float]:
    """From where on something of that size fits with `MARGIN_MM` all round, and up to where handwriting can be read.

    The first is above the second when no height is good for both.
    """
    across, down = lens.sensor_mm
    fits = max((width_mm + 2 * MARGIN_MM) / across, (height_mm + 2 * MARGIN_MM) / down) * lens.focal_mm
    return fits, picture_px / READS_PX_PER_MM / across * lens.focal_mm


def table(lens: Lens, seen: View, distance_mm: float, picture_px: int, mat_mm: tuple[float, float]) -> list[str]:
    """The answer as a person reads it, line by line."""
    beside, above = seen.margins_mm(*mat_mm)
    low, high = heights_mm(lens, picture_px, *mat_mm)
    given = lens.given_deg
    verdict = "enough" if seen.reads_handwriting else "too little"
    return [
        f"{lens.name}, {lens.focal_mm:g} mm, {distance_mm:g} mm above the desk",
        f"sees          {seen.width_mm:.0f} x {seen.height_mm:.0f} mm",
        f"angles        {seen.across_deg:.1f} x {seen.down_deg:.1f} degrees"
        + (f" (the maker says {given[0]:g} x {given[1]:g})" if given else " (the maker gives none)"),
        f"scale         {seen.px_per_mm:.2f} px/mm at {picture_px} px; writing needs {READS_PX_PER_MM:g}: {verdict}",
        f"round the mat {beside:.0f} mm beside, {above:.0f} mm above and below; {MARGIN_MM:g} are wanted"
        + ("" if min(beside, above) >= MARGIN_MM else ": too little"),
        f"focus         {seen.focus_dioptres:.2f} dioptres ({lens.focus})",
        f"good heights  {low:.0f} to {high:.0f} mm" if low <= high else "good heights  none with this lens and picture",
    ]


def main(argv: Sequence[str] | None = None) -> None:
    """Print what is seen; an unknown lens or an impossible height is said on standard error."""
    known, mount, mat = lenses(), kit_table("mount"), kit_table("mat")
    parser = argparse.ArgumentParser(
        prog="python -m hardware.geometry", description=(__doc__ or "").split(":")[0] + "."
    )
    parser.add_argument("--lens", choices=known, default=mount["overhead_lens"], help="the lens (%(default)s)")
    parser.add_argument(
        "--height-mm", type=float, default=mount["overhead_height_mm"], help="above the mat (%(default)s)"
    )
    parser.add_argument("--picture-px", type=int, default=1920, help="how wide the picture is (%(default)s)")
    parser.add_argument("--json", action="store_true", help="for programs")
    asked = parser.parse_args(argv)
    lens, mat_mm = known[asked.lens], (mat["width_mm"], mat["height_mm"])
    try:
        seen = view(lens, asked.height_mm, asked.picture_px)
    except ValueError as error:
        parser.error(str(error))
    if asked.json:
        low, high = heights_mm(lens, asked.picture_px, *mat_mm)
        print(json.dumps({"lens": lens.id, **asdict(seen), "good_heights_mm": [low, high] if low <= high else None}))  # noqa: T201
        return
    print("\n".join(table(lens, seen, asked.height_mm, asked.picture_px, mat_mm)))  # noqa: T201


def _tupled(row: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}


if __name__ == "__main__":
    main()
