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
from device.netcheck.run import World
from device.settings import Settings
from lab.causes import machine_in, sensors_in
from lab.clock import LabClock
from lab.kit import Hand, SimulatedKit
from lab.sound import hearing_in
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
    parser.add_argument("--world", type=Path, required=True, help="folder of what the machine around it consists of")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    kit = SimulatedKit()
    offset = timedelta(seconds=args.clock_offset_s)
    clock = LabClock(args.boot, args.booted_ns, offset, synchronized=not args.without_ntp)
    try:
        settings = read_settings(Settings, args.config)
        hardware = _hardware(args, settings, kit, clock)
        threading.Thread(target=_obey, args=(kit, clock, settings), name="lab.orders", daemon=True).start()
        asyncio.run(agent.run(settings, hardware))
    except (SettingsError, KioskError) as error:
        sys.stderr.write(f"lab.kiosk: {error}\n")
        return 1
    return 0


def _hardware(args: argparse.Namespace, settings: Settings, kit: SimulatedKit, clock: LabClock) -> agent.Hardware:
    switch, of = args.switches, settings.cameras
    return agent.Hardware(
        clock=clock,
        pin_factory=kit.pin_factory,
        camera_factory="lab.faults:open_source",
        camera_args={
            "overhead": {"switch": str(switch / "overhead"), "cards": str(switch / "cards"), "other": of.front.uri},
            "front": {"switch": str(switch / "front"), "other": of.overhead.uri},
        },
        sensors=sensors_in(args.world),
        hearing=hearing_in(args.world / "sound"),
        network=World(machine_in(args.world)),
    )


def _obey(kit: SimulatedKit, clock: LabClock, settings: Settings) -> None:
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        if "button" in order:
            hand = Hand(order["button"])
            threading.Thread(target=kit.move, args=(hand, settings.panel), name="lab.hand", daemon=True).start()
        elif "lamp_dark" in order:
            kit.darken_lamp(settings.panel, dark=order["lamp_dark"])
        elif "shutter" in order:
            kit.shut(order["shutter"], settings.panel, closed=order["closed"])
        elif "clock_offset_s" in order:
            clock.set(timedelta(seconds=order["clock_offset_s"]), synchronized=order["synchronized"])
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
