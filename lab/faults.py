"""What can go wrong with a camera, switched by a small text file: the stimulus of the simulated kiosk.

A kiosk of the lab names `lab.faults:open_source` as its source factory, with the switch's path as argument. Faults
change the pixels or the source's behaviour, never a signal: everything that notices them is the product's own.
"""

import logging
import time
from dataclasses import replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Never, assert_never, cast

import cv2
import numpy as np

from device.cameras import sources
from device.cameras.errors import SourceMissing
from device.cameras.source import CameraSpec, Frame, Native, Source
from device.cameras.sources.scene import SensorNoise
from lab.cards_on_desk import CardsOnDesk, without_markers
from lab.switch import Switch, throw

if TYPE_CHECKING:
    import numpy.typing as npt

    from device.cameras.source import Image

_log = logging.getLogger(__name__)

_SEED: Final = 7


class Fault(StrEnum):
    """What is wrong with a simulated camera."""

    NONE = "none"
    COVERED = "covered"
    DARK = "dark"
    OVEREXPOSED = "overexposed"
    BLURRED = "blurred"
    FROZEN = "frozen"
    GLARE = "glare"
    MOVED = "moved"
    UNPLUGGED = "unplugged"
    HUNG = "hung"
    SLOW = "slow"
    """Every second frame gets lost."""
    SMALL = "small"
    """It is plugged in anew and gives less than it gave."""
    MAT_AWAY = "mat-away"
    """Paper lies on the desk mat's corners."""
    EXCHANGED = "exchanged"
    """It is plugged in anew and sees what the other camera is for."""


def set_fault(path: Path, fault: Fault) -> None:
    """Throw a camera's switch.

    Args:
        path: the switch, a file whose folder exists.
        fault: what is to be wrong from the next frame on.
    """
    throw(path, fault)


def open_source(spec: CameraSpec, *, switch: str, cards: str | None = None, other: str | None = None) -> Source:
    """Open the camera that `spec` names, subject to the fault its switch says.

    Args:
        spec: the camera.
        switch: path of the text file that holds the fault's name; no file means no fault.
        cards: path of the text file that says which picture cards lie on this camera's desk.
        other: the URI of the other camera, which this one can be exchanged for.

    Raises:
        SourceMissing: it is unplugged; otherwise whatever the real source raises.
    """
    lever = fault_switch(Path(switch))
    lever.look()
    if lever.says is Fault.UNPLUGGED:
        raise _unplugged(spec)
    seen = replace(spec, uri=other) if lever.says is Fault.EXCHANGED and other is not None else spec
    return FaultySource(sources.open_source(seen), spec, lever, CardsOnDesk(Path(cards)) if cards else None)


def fault_switch(path: Path) -> Switch[Fault]:
    """A camera's switch; a fault that it does not know counts as none, and is logged."""
    return Switch(path, partial(_parse, path.name), Fault.NONE)


def _parse(name: str, text: str) -> Fault:
    try:
        return Fault(text.strip())
    except ValueError:
        _log.warning("%s says %r, which is no fault; taken as none", name, text.strip())
        return Fault.NONE


class FaultySource:
    """A real source with something wrong with it.

    Args:
        inner: the source underneath, which keeps the pace.
        spec: the camera.
        switch: says what is wrong, and was looked at.
        cards: what lies on the desk, whatever is wrong with the camera that looks at it.
    """

    def __init__(
        self, inner: Source, spec: CameraSpec, switch: Switch[Fault], cards: CardsOnDesk | None = None
    ) -> None:
        self._plugged = _as_plugged(switch.says)
        is_small = self._plugged is Fault.SMALL
        self.native = Native(spec.width // 2, spec.height // 2, form="LAB") if is_small else inner.native
        self._inner = inner
        self._spec = spec
        self._switch = switch
        self._cards = cards
        self._frozen: Image | None = None
        self._pixels = Pixels(spec.width, spec.height)

    def read(self, timeout_s: float) -> Frame:
        """See `Source.read`; hung, it never comes back."""
        self._switch.look()
        fault = self._switch.says
        if fault is Fault.HUNG:
            _hang()
        if fault is Fault.UNPLUGGED:
            raise _unplugged(self._spec)
        if _as_plugged(fault) is not self._plugged:
            raise _unplugged(self._spec)  # it is opened anew, and is another camera then
        if fault is Fault.SLOW:
            self._inner.read(timeout_s)
        frame = self._inner.read(timeout_s)
        if self._cards is not None and (shown := self._cards.on(frame.image)) is not frame.image:
            frame = Frame(shown, frame.captured_ns)
        if fault is not Fault.FROZEN:
            self._frozen = None
            image = self._pixels.alter(frame.image, fault)
            return frame if image is frame.image else Frame(image, frame.captured_ns)
        if self._frozen is None:
            self._frozen = frame.image
        return Frame(self._frozen, frame.captured_ns)

    def close(self) -> None:
        """See `Source.close`."""
        self._inner.close()


class Pixels:
    """What each fault does to a picture of a given size; the picture itself is left as it is.

    Args:
        width: pixels.
        height: pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        self._size = width, height
        self._count = 0
        # Each made when first needed: most kiosks never have most faults.
        self._noise: SensorNoise | None = None
        self._flare: Image | None = None

    def alter(self, image: "Image", fault: Fault) -> "Image":  # noqa: PLR0911 - one return for each fault
        """The picture with the fault in it.

        Args:
            image: `(height, width, 3) uint8`.
            fault: one that shows in a single picture; for others the picture comes back as it is.
        """
        match fault:
            case Fault.COVERED:
                # A hand on the lens: nearly no light, a trace of it red through the skin.
                return self._noisy(np.full_like(image, (8, 8, 12)))
            case Fault.DARK:
                return self._noisy(_scaled(image, 0.10, 1))
            case Fault.OVEREXPOSED:
                return _scaled(image, 2.4, 70)
            case Fault.BLURRED:
                return self._noisy(self._blurred(image))
            case Fault.GLARE:
                return cast("Image", cv2.add(image, self._glare()))
            case Fault.MOVED:
                return self._moved(image)
            case Fault.MAT_AWAY:
                return self._noisy(without_markers(image))
            case Fault.NONE | Fault.FROZEN | Fault.UNPLUGGED | Fault.HUNG | Fault.SLOW | Fault.SMALL | Fault.EXCHANGED:
                return image
            case _:
                assert_never(fault)

    def _noisy(self, image: "Image") -> "Image":
        """A living sensor's noise, also in the dark: without it a covered lens would look like a frozen one."""
        if self._noise is None:
            self._noise = SensorNoise(*self._size, _SEED)
        self._count += 1
        self._noise.add_to(image, self._count)
        return image

    def _blurred(self, image: "Image") -> "Image":
        # A wide blur is cheap on a small copy, which blurs by itself when enlarged again.
        width, height = self._size
        small = cv2.resize(image, (max(1, width // 8), max(1, height // 8)), interpolation=cv2.INTER_AREA)
        soft = cv2.GaussianBlur(small, (0, 0), max(0.8, width / 800))
        return cast("Image", cv2.resize(soft, self._size, interpolation=cv2.INTER_LINEAR))

    def _glare(self) -> "Image":
        """A lamp's reflection: an ellipse clipped to white with a soft rim, right of the middle."""
        if self._flare is None:
            width, height = self._size
            flare = np.zeros((height, width), np.uint8)
            centre, axes = (round(0.58 * width), round(0.46 * height)), (round(0.19 * width), round(0.24 * height))
            cv2.ellipse(flare, centre, axes, 12, 0, 360, 255, -1)
            flare = cast("npt.NDArray[np.uint8]", cv2.GaussianBlur(flare, (0, 0), width / 60))
            self._flare = cast("Image", cv2.cvtColor(flare, cv2.COLOR_GRAY2BGR))
        return self._flare

    def _moved(self, image: "Image") -> "Image":
        """The mount was knocked: turned and shifted, the whole mat still in view; a mirrored edge fills the rest."""
        width, height = self._size
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 5, 1.0)
        matrix[0, 2] += 0.08 * width
        return cast("Image", cv2.warpAffine(image, matrix, self._size, borderMode=cv2.BORDER_REFLECT_101))


def _as_plugged(fault: Fault) -> Fault:
    """What makes it another camera, which is noticed only when it is opened."""
    return fault if fault in {Fault.SMALL, Fault.EXCHANGED} else Fault.NONE


def _scaled(image: "Image", gain: float, lift: float) -> "Image":
    return cast("Image", cv2.convertScaleAbs(image, alpha=gain, beta=lift))


def _unplugged(spec: CameraSpec) -> SourceMissing:
    return SourceMissing(f"{spec.uri}: the camera was unplugged")


def _hang() -> Never:
    """A driver that never comes back, whatever the switch says later: only the process can be ended."""
    _log.info("hanging, as the switch says")
    while True:
        time.sleep(3600)
