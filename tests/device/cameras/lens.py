"""A camera whose trouble a test switches, and the workers that are left of it."""

import contextlib
import os
from pathlib import Path

from device.cameras.supervisor import Camera
from lab.faults import Fault, set_fault
from tests.device.cameras.kit import small

ODD = "tests.device.cameras.odd_sources:open_odd"


class Lens:
    """A camera of the simulated kit and the switch for what is wrong with it."""

    def __init__(self, folder: Path) -> None:
        self.switch = folder / "switch"
        self.camera = Camera(
            small("scene:desk"), factory="lab.faults:open_source", factory_args={"switch": os.fspath(self.switch)}
        )

    def fault(self, fault: Fault) -> None:
        set_fault(self.switch, fault)


def children() -> set[int | None]:
    """The camera workers of this process, dead ones that nobody has collected included."""
    found: set[int | None] = set()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit():
                told = (entry / "stat").read_text().rpartition(")")[2].split()
                is_worker = b"device.cameras.worker" in (entry / "cmdline").read_bytes() or told[0] == "Z"
                if int(told[1]) == os.getpid() and is_worker:
                    found.add(int(entry.name))
    return found
