"""The USB rung of the recovery ladder: a camera taken off its driver and put back, as if somebody had replugged it.

The kernel offers it through sysfs (https://lwn.net/Articles/143397): the name of a port written to `unbind` and then to
`bind` of the driver `usb`.
"""

import os
import re
import time
from pathlib import Path
from typing import Final

from device.cameras.errors import RebindRefused

_SYS: Final = Path("/sys")
_PORT: Final = re.compile(r"\d+-\d+(\.\d+)*", re.ASCII)
"""Bus, then the ports on the way to the camera: `1-1.2` is port 2 of the hub in port 1 of bus 1."""


def usb_port(path: str | os.PathLike[str], sys: Path = _SYS) -> str | None:
    """The USB port a camera is plugged into, such as `1-1.2`.

    Ask while the camera works and keep the answer: once unplugged, or dropped by its driver, its path leads nowhere.

    Args:
        path: its device, also by a link such as those in `/dev/v4l/by-path`.
        sys: where sysfs is mounted.

    Returns:
        None when it is no USB camera, or is not there.
    """
    # A camera's video device belongs to an interface, `1-1.2:1.0`, of what is plugged into the port.
    interface = (sys / "class/video4linux" / Path(path).resolve().name / "device").resolve()
    port = interface.parent.name
    return port if _PORT.fullmatch(port) and interface.name.startswith(f"{port}:") else None


def rebind(port: str, sys: Path = _SYS, pause_s: float = 0.5) -> None:
    """Take whatever is plugged into a USB port off its driver and put it back; its video device may get a new number.

    The kernel lets this wait for a driver that hangs, so a caller gives it a thread of its own and a deadline.

    Args:
        port: as `usb_port` named it.
        sys: where sysfs is mounted.
        pause_s: how long it stays off its driver.

    Raises:
        RebindRefused: nothing is plugged in there, the kiosk may not do this, or the kernel could not.
    """
    driver = sys / "bus/usb/drivers/usb"
    if not _PORT.fullmatch(port):
        raise RebindRefused(f"{port!r} is no USB port that can be switched off and on; ports are called like 1-1.2")
    if not (sys / "bus/usb/devices" / port).exists():
        raise RebindRefused(f"USB port {port}: nothing is plugged in there; is the camera's cable in?")
    # One that an earlier try took off and could not put back is only put back.
    if (driver / port).exists():
        _write(driver / "unbind", port)
        time.sleep(pause_s)
    _write(driver / "bind", port)


def _write(path: Path, port: str) -> None:
    try:
        # Sysfs lets nobody read these two, and a file that is not there must not be made.
        file = os.open(path, os.O_WRONLY)
        try:
            os.write(file, port.encode("ascii"))
        finally:
            os.close(file)
    except PermissionError as error:
        raise RebindRefused(
            f"USB port {port}: this program may not write to {path}; let its user do so, or replug the camera by hand"
        ) from error
    except OSError as error:
        raise RebindRefused(
            f"USB port {port}: the system refused {path.name} ({error.strerror}); replug the camera by hand"
        ) from error
