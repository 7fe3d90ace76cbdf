"""The whole self-test, part by part, and its answer as `--json` prints it."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from device import placement
from device.agent import LEDGER_FILE, Hardware
from device.cameras.uri import parse_uri
from device.errors import LedgerError
from device.selftest.camera import try_camera
from device.selftest.figures import CameraResult
from device.selftest.parts import Part, look_at_clock, look_at_seal, look_at_sound, look_at_storage, panel
from device.session.ledger import Ledger
from device.session.states import ROLES, Fact
from device.settings import Settings

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """The whole self-test."""

    kiosk: str
    cameras: Mapping[str, CameraResult]
    parts: Mapping[str, Part]
    """By name: storage, seal, panel, clock, sound."""

    @property
    def failing(self) -> list[str]:
        """The parts that do not work, as people call them."""
        cameras = [f"{role} camera" for role, one in self.cameras.items() if not one.ok]
        return cameras + [name for name, one in self.parts.items() if not one.ok]

    def json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "ok": not self.failing,
            "kiosk": self.kiosk,
            "cameras": {role: one.json() for role, one in self.cameras.items()},
            **{name: one.json() for name, one in self.parts.items()},
        }


def needs_devices(settings: Settings) -> bool:
    """Whether a camera is a device that only one program at a time can hold."""
    uris = (settings.cameras.overhead.uri, settings.cameras.front.uri)
    return any(parse_uri(uri).scheme not in {"file", "scene"} for uri in uris)


async def run(settings: Settings, seconds: float, hardware: Hardware, *, agent_runs: bool = False) -> Result:
    """Look at every part; the cameras for `seconds` each, both at once.

    Args:
        settings: the kiosk's.
        seconds: how long each camera is watched, from its first coded picture on.
        hardware: what the agent would stand on.
        agent_runs: the agent holds the pins.
    """
    now = hardware.clock.now()
    parts = {"storage": look_at_storage(settings), "seal": look_at_seal(settings, now)}
    with panel(settings, hardware, agent_runs=agent_runs) as pins:
        _note(settings, hardware, "camera.opened")
        async with asyncio.TaskGroup() as tasks:
            trials = {role: tasks.create_task(_try(settings, role, seconds, hardware)) for role in ROLES}
        _note(settings, hardware, "camera.closed")
    parts |= {"panel": pins, "clock": look_at_clock(now), "sound": look_at_sound(settings, hardware.hearing)}
    return Result(settings.kiosk.id, {role: one.result() for role, one in trials.items()}, parts)


async def _try(settings: Settings, role: str, seconds: float, hardware: Hardware) -> CameraResult:
    factory, arguments = hardware.camera_factory, hardware.camera_args.get(role)
    placed = placement.load(settings.data_dir)
    spec = settings.cameras.spec(role, exchanged=placed.exchanged)
    return await try_camera(spec, seconds, factory, arguments, placed.reference(spec))


def _note(settings: Settings, hardware: Hardware, type_: str) -> None:
    """Every opening and closing of a camera is a row; no agent has the ledger open while cameras are devices."""
    path = settings.data_dir / LEDGER_FILE
    if not needs_devices(settings) or not path.exists():
        return
    try:
        ledger = Ledger.open(path)
        try:
            now = hardware.clock.now()
            ledger.append([Fact(type_, {"role": role, "reason": "selftest"}, None, now) for role in ROLES])
        finally:
            ledger.close()
    except LedgerError as error:
        _log.error("%s: the self-test's use of the cameras is in no row", error)  # expected on a bad disk
