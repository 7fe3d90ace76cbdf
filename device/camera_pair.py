"""Both cameras as the kiosk sees them: opened and closed together, lit while one may be open, and their pictures."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from device import effects
from device.camera_lamp import CameraLamp
from device.cameras.boundary import View
from device.cameras.errors import CameraError
from device.cameras.process import Still
from device.cameras.source import CameraSpec
from device.cameras.status import CameraStatus
from device.cameras.supervisor import Camera
from device.errors import KioskError
from device.panel import Panel
from device.role_watch import RoleWatch
from device.session.clock import Instant
from device.session.states import State
from device.snapshot import CameraView

_log = logging.getLogger(__name__)

_CLOSED_WITHIN_S: Final = 4.0
_POLL_S: Final = 0.05


class CameraPair:
    """The overhead and the front camera with their lamp.

    Args:
        cameras: by role; may be filled after this was made.
        panel: where the lamp is; None on a machine without pins.
        idle: what the settings say of cameras outside sessions.
    """

    def __init__(self, cameras: Mapping[str, Camera], panel: Panel | None, idle: str) -> None:
        self._cameras, self._idle = cameras, idle
        self._lamp = CameraLamp(panel)
        self._roles = RoleWatch()
        self._purposes: set[str] = set()
        self._after = ""
        """The purpose that ended last; if nothing else wants them, it is why they close."""
        self._is_changing = False
        self.reason = "idle"
        """Why they are as they are, for the ledger."""

    # Open and closed

    def wanted(self, state: State, now: Instant) -> tuple[bool, str]:
        """Whether they are to be open, and the reason that goes into the ledger."""
        if self._lamp.broken:
            return False, "lamp"
        if self._is_changing:
            return False, "exchange"
        wanted, reason = effects.cameras_for(state, now, idle=self._idle, purpose=min(self._purposes, default=None))
        return wanted, self._after or reason if not wanted and state.session is None else reason

    def ask_for(self, purpose: str, *, wanted: bool) -> None:
        """Have them open outside sessions for a purpose, which is what the ledger calls it, or not any more."""
        if wanted:
            self._purposes.add(purpose)
        elif purpose in self._purposes:
            self._purposes.remove(purpose)
            self._after = purpose

    def open(self, *, wanted: bool, reason: str) -> None:
        """Open or close them; the lamp is lit before and goes dark after."""
        self.reason = reason
        if wanted:
            if reason not in {self._after, *self._purposes}:
                self._after = ""
            self._lamp.follow(may_open=True)
        for camera in self._cameras.values():
            camera.want_open(wanted)
        self.light(wanted=wanted)

    async def become(self, specs: Mapping[str, CameraSpec]) -> None:
        """Be other devices from now on; they stay closed until each has let go of its old one."""
        self._is_changing = True
        self.open(wanted=False, reason="exchange")
        try:
            for _ in range(round(_CLOSED_WITHIN_S / _POLL_S)):
                if not self.are_open:
                    break
                await asyncio.sleep(_POLL_S)
            else:
                _log.warning("a camera does not close; its worker is ended for the exchange all the same")
            for role, spec in specs.items():
                self._cameras[role].be(spec)
            self._roles = RoleWatch()
        finally:
            self._is_changing = False

    def code(self, *, wanted: bool) -> None:
        """Have their pictures encoded, or not."""
        for camera in self._cameras.values():
            camera.want_coded(wanted)

    @property
    def are_open(self) -> bool:
        """Whether one of them may be open."""
        return any(camera.status().device_open for camera in self._cameras.values())

    # The lamp

    def light(self, *, wanted: bool) -> None:
        """Let the lamp follow."""
        self._lamp.follow(may_open=wanted or self.are_open)

    @property
    def lamp_shows(self) -> bool:
        """What the lamp is seen to show."""
        return self._lamp.shows(open_=self.are_open)

    def lamp_agrees(self, *, wanted: bool) -> bool:
        """Whether the lamp shows what is so."""
        return self._lamp.agrees(open_=self.are_open, wanted=wanted)

    def lamp_judged(self, *, mismatch: bool) -> bool:
        """Take note of the signal; True when that changes whether they may open."""
        return self._lamp.judged(mismatch=mismatch)

    # What is so

    def statuses(self) -> dict[str, CameraStatus]:
        """By role."""
        return {role: camera.status() for role, camera in self._cameras.items()}

    def views(self) -> dict[str, CameraView]:
        """By role, what is shown of each."""
        return {role: _view(status) for role, status in self.statuses().items()}

    def specs(self) -> dict[str, CameraSpec]:
        """By role, what each is asked for."""
        return {role: camera.spec for role, camera in self._cameras.items()}

    def swapped(self, now: Instant) -> bool:
        """Whether they hold each other's roles, by where the mat is seen."""
        return self._roles.swapped({role: status.mat for role, status in self.statuses().items()}, now)

    # Pictures

    async def picture(self, role: str) -> bytes:
        """A fresh JPEG; raises `KioskError` with words when there is none, `LookupError` for no such camera."""
        try:
            return await self._cameras[role].snapshot()
        except CameraError as error:
            raise KioskError(str(error)) from error

    async def still(self, role: str, view: View = View.PICTURE, max_bytes: int = 0) -> Still:
        """A fresh JPEG in full size, of at most `max_bytes` if any, in memory only; raises as `picture` does."""
        try:
            return await self._cameras[role].still(view, max_bytes=max_bytes)
        except CameraError as error:
            raise KioskError(str(error)) from error

    def preview(self, role: str) -> bytes | None:
        """The latest JPEG of a camera, if it is fresh."""
        return self._cameras[role].preview()


def _view(status: CameraStatus) -> CameraView:
    return CameraView(
        state=status.state.value,
        fps=status.fps,
        last_frame_age_s=status.last_frame_age_s,
        pid=status.pid,
        detail=status.detail,
        native=status.native,
        seen=status.seen,
        unchecked=status.unchecked,
        mat=status.mat,
        corners=status.corners,
        aim=status.aim,
        restarts=status.restarts,
        coded=status.packets,
        last_packet_ns=status.last_packet_ns,
        segment=status.segment,
        lost=status.lost,
    )
