"""One simulated kiosk: a process that sets pins, clock and camera source, and then runs the very same agent.

Started by the lab as `python -m lab.kiosk`. Standard input carries the lab's orders, one JSON object a line; its end is
the lab's end, and so the kiosk's. No flag of the agent knows of any of this.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

from device import agent
from device.errors import KioskError
from device.settings import Settings
from lab.clock import LabClock
from lab.kit import Hand, SimulatedKit
from wire.settings_file import SettingsError, read_settings

_log = logging.getLogger(__name__)


def main() -> int:
    """Run one simulated kiosk until SIGTERM."""
    parser = argparse.ArgumentParser(prog="lab.kiosk")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--boot", required=True, help="the simulated boot's id")
    parser.add_argument("--booted-ns", type=int, required=True, help="when it was, by the machine's monotonic clock")
    parser.add_argument("--clock-offset-s", type=float, default=0.0)
    parser.add_argument("--without-ntp", action="store_true", help="no time source ever set its clock")
    parser.add_argument("--switches", type=Path, required=True, help="folder of the cameras' fault switches")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    kit = SimulatedKit()
    offset = timedelta(seconds=args.clock_offset_s)
    clock = LabClock(args.boot, args.booted_ns, offset, synchronized=not args.without_ntp)
    hardware = agent.Hardware(
        clock=clock,
        pin_factory=kit.pin_factory,
        camera_factory="lab.faults:open_source",
        camera_args={
            "overhead": {"switch": str(args.switches / "overhead"), "cards": str(args.switches / "cards")},
            "front": {"switch": str(args.switches / "front")},
        },
    )
    try:
        settings = read_settings(Settings, args.config)
        threading.Thread(target=_obey, args=(kit, clock, settings), name="lab.orders", daemon=True).start()
        asyncio.run(agent.run(settings, hardware))
    except (SettingsError, KioskError) as error:
        sys.stderr.write(f"lab.kiosk: {error}\n")
        return 1
    return 0


def _obey(kit: SimulatedKit, clock: LabClock, settings: Settings) -> None:
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        if "button" in order:
            hand = Hand(order["button"])
            threading.Thread(target=kit.move, args=(hand, settings.panel), name="lab.hand", daemon=True).start()
        elif "clock_offset_s" in order:
            clock.set(timedelta(seconds=order["clock_offset_s"]), synchronized=order["synchronized"])
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
