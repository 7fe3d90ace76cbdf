"""A printer and a camera for the tests: a PDF's page as a picture, measured in millimetres."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt
import pypdfium2
import pypdfium2.raw as pdfium

if TYPE_CHECKING:
    from collections.abc import Mapping

Grey: TypeAlias = npt.NDArray[np.uint8]
"""`(height, width)`."""
Points: TypeAlias = npt.NDArray[np.float64]
"""`(n, 2)`, x to the right and y down."""

PX_PER_MM = 10
"""As fine as a printer of 254 dots per inch, and each paper is a whole number of pixels wide and high."""
POINTS_PER_MM = 72 / 25.4


@dataclass(frozen=True)
class Page:
    """The one page of a PDF."""

    grey: Grey
    """As printed, `PX_PER_MM`."""
    size_mm: tuple[float, float]
    words: list[str]
    """Line by line."""
    kinds: set[int]
    """What it is made of: PDFium's kinds of page objects."""

    def part(self, left: float, top: float, right: float, bottom: float) -> Grey:
        """A part of the page, given in millimetres."""
        x0, y0, x1, y1 = (round(edge * PX_PER_MM) for edge in (left, top, right, bottom))
        return self.grey[y0:y1, x0:x1]

    @property
    def is_vector_only(self) -> bool:
        """Whether it has lines, shapes and words, and no picture made of pixels."""
        return self.kinds == {pdfium.FPDF_PAGEOBJ_PATH, pdfium.FPDF_PAGEOBJ_TEXT}

    def inked(self) -> tuple[float, float, float, float]:
        """How far from the left, top, right and bottom edge the outermost ink is, in millimetres."""
        rows, columns = (np.flatnonzero((self.grey < 250).any(axis=axis)) for axis in (1, 0))
        height, width = self.grey.shape
        left, top = columns[0], rows[0]
        right, bottom = width - 1 - columns[-1], height - 1 - rows[-1]
        return left / PX_PER_MM, top / PX_PER_MM, right / PX_PER_MM, bottom / PX_PER_MM


def printed(pdf: bytes) -> Page:
    """Print a PDF of one page."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        assert len(document) == 1
        page = document[0]
        width, height = page.get_size()
        # A hair too small, because the size in pixels is rounded up and the page drawn to fill it.
        scale = (PX_PER_MM - 1e-4) / POINTS_PER_MM
        grey = cast("Grey", page.render(scale=scale, grayscale=True).to_numpy().copy())
        words = page.get_textpage().get_text_range().split("\r\n")
        kinds = {one.type for one in page.get_objects()}
    finally:
        document.close()
    return Page(grey, (width / POINTS_PER_MM, height / POINTS_PER_MM), [one for one in words if one], kinds)


def found(grey: Grey, dictionary: str) -> dict[int, Points]:
    """The markers that OpenCV sees: id to its four corners in pixels from the picture's edge."""
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    known = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, dictionary))
    corners, ids, _ = cv2.aruco.ArucoDetector(known, parameters).detectMarkers(grey)
    if not corners:
        return {}
    # OpenCV counts from the middle of the first pixel.
    return {int(one): np.asarray(four[0] + 0.5, float) for one, four in zip(ids.ravel(), corners, strict=True)}


def found_mm(page: Page, dictionary: str) -> "Mapping[int, Points]":
    """The markers of a printed page: id to its four corners in millimetres from the paper's corner."""
    return {one: four / PX_PER_MM for one, four in found(page.grey, dictionary).items()}


def photographed(page: Page, width: int, *, tilt_deg: float, turn_deg: float = 0.0, noise: float = 4.0) -> Grey:
    """The page as a camera sees it from 60 cm above its middle, `width` pixels for a desk 71 cm wide.

    Args:
        page: what lies on the grey desk.
        width: of the picture, which is 16 to 9.
        tilt_deg: how far from straight above the camera is.
        turn_deg: how far the page is turned.
        noise: of the sensor, as a standard deviation.
    """
    height = width * 9 // 16
    focal = width * 600 / 711
    lens = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    x, y = page.size_mm[0] / 2, page.size_mm[1] / 2
    lie = cv2.Rodrigues(np.radians([tilt_deg, 0.0, 0.0]))[0] @ cv2.Rodrigues(np.radians([0.0, 0.0, turn_deg]))[0]
    on_page = lie @ np.array([[1 / PX_PER_MM, 0, -x], [0, 1 / PX_PER_MM, -y], [0, 0, 0.0]])
    on_page[:, 2] += (0, 0, 600)
    # Four times as large first: each pixel of a camera takes the mean of all that it sees.
    large = np.diag([4.0, 4.0, 1.0]) @ lens @ on_page
    soft = cv2.GaussianBlur(page.grey, (0, 0), PX_PER_MM / 4)
    view = cv2.warpPerspective(soft, large, (width * 4, height * 4), borderValue=(110,))
    small = cv2.resize(view, (width, height), interpolation=cv2.INTER_AREA) * 0.8 + 20
    grain = np.random.default_rng(1).normal(0, noise, small.shape)
    return cast("Grey", np.clip(small + grain, 0, 255).astype(np.uint8))


def ran(module: str, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """What one of the programs did."""
    command: list[Any] = [sys.executable, "-m", module, *arguments]
    top = Path(__file__).resolve().parents[2]
    return subprocess.run(command, cwd=top, env=environment, capture_output=True, text=True, check=False)
