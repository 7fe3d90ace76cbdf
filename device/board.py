"""Which board this is, as its device tree says."""

from pathlib import Path
from typing import Final

_MODEL: Final = Path("/proc/device-tree/model")


def board_model() -> str | None:
    """For example `Raspberry Pi 5 Model B Rev 1.0`; None on a machine without a device tree."""
    try:
        return _MODEL.read_text(errors="replace").strip("\0\n ") or None
    except OSError:
        return None  # no such file on this machine
