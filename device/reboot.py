"""The last rung of the recovery ladder: restart the whole kiosk, outside sessions only, and rarely.

A driver stuck in the kernel frees its camera with nothing less (picamera2#1275). It is done only when a camera has
failed for a while, nothing runs or is about to, and the kiosk has been up for hours: a restart that did not help is not
repeated.
"""

import asyncio
import logging
import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from device.cameras.ladder import CameraState, Cause, Step
from device.kiosk import Kiosk
from device.session import windows
from device.session.clock import NS_PER_S, Instant
from device.session.states import Phase, State

_log = logging.getLogger(__name__)

FAILED_FOR_S: Final = 300.0
UP_FOR_S: Final = 6 * 3_600
CLEAR_OF_BOOKINGS: Final = timedelta(minutes=30)
_LOOK_EVERY_S: Final = 10.0
_SYSTEMCTL_WITHIN_S: Final = 30.0


def may_reboot(state: State, now: Instant, failed_since_ns: int | None) -> bool:
    """Whether restarting the kiosk now would disturb nobody and has not just been tried."""
    if failed_since_ns is None or now.mono_ns - failed_since_ns < FAILED_FOR_S * NS_PER_S:
        return False
    if state.phase is not Phase.IDLE or now.mono_ns < UP_FOR_S * NS_PER_S:
        return False
    coming = windows.upcoming(state.schedule, now, state.done)
    return coming is None or coming.start - CLEAR_OF_BOOKINGS > now.wall


async def watch(kiosk: Kiosk, restart: Callable[[], None] | None) -> None:
    """Restart the kiosk when that is the only thing left, until cancelled."""
    failed_since_ns: int | None = None
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        now = kiosk.clock.now()
        failed = [role for role, view in kiosk.snapshot().cameras.items() if view.state == CameraState.FAILED]
        if not failed:
            failed_since_ns = None
            continue
        failed_since_ns = failed_since_ns or now.mono_ns
        allowed = restart is not None and kiosk.settings.cameras.reboot == "outside-sessions"
        if restart is not None and allowed and may_reboot(kiosk.state, now, failed_since_ns):
            for role in failed:
                kiosk.camera_step(role, Step("reboot", Cause.DIED, "nothing else brought the camera back"))
            await asyncio.sleep(1)
            await asyncio.to_thread(restart)
            failed_since_ns = now.mono_ns  # it did not happen, or not yet


def systemctl() -> None:
    """Ask systemd to restart the machine; it stops the agent in order first."""
    tool = shutil.which("systemctl")
    if tool is None:
        _log.error("the kiosk should be restarted, and there is no systemctl to do it")
        return
    try:
        subprocess.run([tool, "reboot"], check=True, timeout=_SYSTEMCTL_WITHIN_S)  # noqa: S603 - the system's own tool
    except (OSError, subprocess.SubprocessError) as error:
        _log.error("the kiosk should be restarted: %s", error)  # expected without the right; said once per attempt
