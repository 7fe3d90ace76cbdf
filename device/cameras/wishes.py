"""What a camera is wanted to do, and how its present worker is told: each wish once, all of them to a new worker."""

from dataclasses import dataclass
from typing import Any

from device.cameras.boundary import Do, Order
from device.cameras.process import WorkerProcess
from device.cameras.recording import NOTHING, Plan


@dataclass(frozen=True, slots=True)
class Reference:
    """What the pictures are to be judged by; the same one told again is another wish."""

    number: int = 0
    plain: dict[str, Any] | None = None
    """As `device.vision.stored.to_plain` has it; None lets the camera learn one as it comes."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the rest of the kiosk wants of a camera."""

    is_open: bool = False
    coded: bool = False
    bitrate_bps: int = 0
    """0 leaves it as the spec says."""
    plan: Plan = NOTHING
    reference: Reference = Reference()


class Telling:
    """What one worker was told so far. A worker begins with nothing wanted."""

    def __init__(self) -> None:
        self._told = Wishes()
        self.order = 0
        """The number of the last order to open or close."""

    def tell(self, worker: WorkerProcess, wishes: Wishes) -> None:
        """Send what is new; what cannot be sent now is sent with the next call.

        Recording goes first, so that what nobody may keep is not kept for a moment, and closing waits for nothing.
        """
        told = self._told
        if wishes.plan != told.plan and not worker.send(Order(Do.RECORD, self.order, plan=wishes.plan)):
            return
        if wishes.bitrate_bps != told.bitrate_bps and not worker.send(
            Order(Do.BITRATE, self.order, bitrate_bps=wishes.bitrate_bps)
        ):
            return
        if wishes.reference != told.reference and not worker.send(
            Order(Do.REFER, self.order, reference=wishes.reference.plain)
        ):
            return
        if wishes.coded != told.coded and not worker.send(Order(Do.CODE, self.order, on=wishes.coded)):
            return
        if wishes.is_open != told.is_open:
            if not worker.send(Order(Do.OPEN if wishes.is_open else Do.CLOSE, self.order + 1)):
                return
            self.order += 1
        self._told = wishes
