"""One simulated kiosk as the lab holds it: its settings, its network, its power, its clock, its cameras' switches."""

import asyncio
import json
import logging
import os
import shutil
import signal
import sys
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx

from lab.as_fleet import said_by_fleet, say
from lab.cards_on_desk import set_cards
from lab.causes import Cause, Surroundings, refuse_writes, simple
from lab.faults import Fault, set_fault
from lab.kit import Hand
from lab.processes import Child
from lab.relay import Relay, Way
from lab.sound import MICROPHONE_ID, SPEAKER_ID

_log = logging.getLogger(__name__)

ROLES: Final = ("overhead", "front")
RESTART_S: Final = 0.5
"""How soon the lab, as systemd would, restarts an agent that died by itself."""
STOP_WITHIN_S: Final = 6.0
_SHUTTER_PINS: Final = {"overhead": 5, "front": 6}
_CRASHES: Final = 3
_UP_AGAIN_S: Final = 30.0
_LOOK_S: Final = 0.2
_CAMERAS: Final = {"overhead": (1280, 720, 10), "front": (640, 480, 15)}
"""Smaller than the kit's, because one machine plays several kiosks."""


@dataclass(frozen=True, slots=True)
class Model:
    """What a simulated kiosk is told."""

    id: str
    campus: str
    room: str
    port: int
    sources: dict[str, str]
    fleet_key: str = ""
    """To which its recordings are sealed; without one it records nothing."""
    picture_checks: bool = True
    receipt_key: str = ""
    """By which it knows the fleet's receipts; without one it sends no recording."""


class SimulatedKiosk:
    """Starts the kiosk's process, pulls its plug, and starts it again."""

    def __init__(self, model: Model, folder: Path, broker_port: int, fleet_port: int = 0) -> None:
        self.model = model
        self.relay = Relay(broker_port)
        self.fleet_relay = Relay(fleet_port)
        self.world = Surroundings(folder / "world")
        self.powered = True
        self.clock_offset_s = 0.0
        self.synchronized = True
        self._folder, self._broker_port, self._fleet_port = folder, broker_port, fleet_port
        self._child: Child | None = None
        self._boot, self._booted_ns = "", 0
        self._stopping = False
        self._changing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The kiosk's own page."""
        return f"http://127.0.0.1:{self.model.port}"

    @property
    def pid(self) -> int | None:
        """The agent's process."""
        return self._child.pid if self._child and self._child.running else None

    async def start(self) -> None:
        """Write the settings and switch the kiosk on."""
        (self._folder / "switches").mkdir(parents=True, exist_ok=True)
        await self.relay.start()
        await self.fleet_relay.start()
        (self._folder / "kiosk.toml").write_text(self._settings())
        self._new_boot()
        self._spawn()
        self._keep(self._watch())

    async def stop(self) -> None:
        """Switch off in order."""
        self._stopping = True
        if self._child:
            await self._child.stop(STOP_WITHIN_S)
        for task in self._tasks:
            task.cancel()
        await self.relay.stop()
        await self.fleet_relay.stop()

    async def state(self, client: httpx.AsyncClient) -> dict[str, Any] | None:
        """What the kiosk's page says; None while nothing answers."""
        try:
            answer = await client.get(f"{self.url}/api/state", timeout=2)
            answer.raise_for_status()
        except httpx.HTTPError:
            return None
        found: dict[str, Any] = answer.json()
        return found

    def button(self, hand: Hand) -> None:
        """Move the button; raises OSError while the power is off."""
        self._order({"button": hand.value})

    def camera(self, role: str, fault: Fault) -> None:
        """Do something to a camera."""
        set_fault(self._folder / "switches" / role, fault)

    def cards(self, numbers: Iterable[int]) -> None:
        """Lay these picture cards on its desk, instead of those that lay there."""
        set_cards(self._folder / "switches" / "cards", numbers)

    async def cause(self, cause: Cause, *, on: bool, role: str = "overhead") -> None:
        """Have something wrong in the world around it, or mend it; raises OSError while the power is off."""
        if (change := simple(self.world).get(cause)) is not None:
            change(on)
        match cause:
            case Cause.LAMP_DARK:
                self._order({"lamp_dark": on})
            case Cause.SHUTTER:
                self._order({"shutter": role, "closed": on})
            case Cause.SLOW_NETWORK | Cause.PORTAL:
                self._change_network(Way.LATE if cause is Cause.SLOW_NETWORK else Way.PORTAL, on=on)
            case Cause.DISK_REFUSES:
                self._refuse_writes(on=on)
            case Cause.DISK_WORN if not on:
                await self._change_card()
            case Cause.CRASHES:
                self._keep(self._crash()) if on else self._pass_an_hour()
            case Cause.RELEASE_WAITS | Cause.BOOKING_WAITS | Cause.OLD_SCHEDULE:
                message = said_by_fleet(cause, on=on, now=datetime.now(UTC) + timedelta(seconds=self.clock_offset_s))
                await asyncio.to_thread(say, self._broker_port, self.model.campus, self.model.id, message)

    def set_clock(self, to: datetime | None, *, synchronized: bool = True) -> None:
        """Set the kiosk's wall clock, or let it show the machine's again; it stays so over a cut of its power.

        Args:
            to: what it shall show now.
            synchronized: whether NTP is said to have set it; a clock that nobody set is not.
        """
        self.clock_offset_s = 0.0 if to is None else (to - datetime.now(UTC)).total_seconds()
        self.synchronized = synchronized
        self._order({"clock_offset_s": self.clock_offset_s, "synchronized": synchronized})

    async def cut_power(self, for_s: float | None) -> None:
        """Pull the plug, and put it back after a while if one is named."""
        async with self._changing:
            self.powered = False
            if self._child:
                self._child.kill()
        if for_s is not None:
            self._keep(self._power_after(for_s))

    async def restore_power(self) -> None:
        """Put the plug back: a new boot."""
        async with self._changing:
            if self.powered or self._stopping:
                return
            self.powered = True
            self._new_boot()
            self._spawn()

    def _change_network(self, way: Way, *, on: bool) -> None:
        for relay in (self.relay, self.fleet_relay):
            if on:
                relay.cut(way)
            else:
                relay.restore()

    def _refuse_writes(self, *, on: bool) -> None:
        pid = self.pid
        if pid is None:
            raise OSError(f"{self.model.id} has no power")
        refuse_writes(pid, on=on)

    async def _change_card(self) -> None:
        """A worn card is mended by another one, which knows nothing."""
        await self.cut_power(None)
        await asyncio.to_thread(shutil.rmtree, self._folder / "data", ignore_errors=True)
        await self.restore_power()

    async def _crash(self) -> None:
        for _ in range(_CRASHES):
            pid = self.pid
            if pid is None:
                raise OSError(f"{self.model.id} has no power")
            os.kill(pid, signal.SIGKILL)
            async with asyncio.timeout(_UP_AGAIN_S), httpx.AsyncClient() as client:
                while self.pid in {None, pid} or await self.state(client) is None:  # noqa: ASYNC110  # no event here
                    await asyncio.sleep(_LOOK_S)

    def _pass_an_hour(self) -> None:
        self.set_clock(datetime.now(UTC) + timedelta(seconds=self.clock_offset_s) + timedelta(minutes=61))

    async def _power_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.restore_power()

    async def _watch(self) -> None:
        """An agent that dies by itself is started again within the same boot."""
        while not self._stopping:
            await asyncio.sleep(RESTART_S)
            async with self._changing:
                if self.powered and not self._stopping and self._child and not self._child.running:
                    _log.warning("the agent of %s ended; it is started again", self.model.id)
                    self._child.kill()
                    self._spawn()

    def _keep(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _new_boot(self) -> None:
        self._boot, self._booted_ns = str(uuid.uuid4()), time.monotonic_ns()

    def _spawn(self) -> None:
        self._child = Child(
            [
                sys.executable, "-P", "-m", "lab.kiosk", "--config", str(self._folder / "kiosk.toml"),
                "--boot", self._boot, "--booted-ns", str(self._booted_ns),
                "--clock-offset-s", str(self.clock_offset_s), "--switches", str(self._folder / "switches"),
                *([] if self.synchronized else ["--without-ntp"]),
                "--world", str(self._folder / "world"),
            ],
            log=self._folder / "kiosk.log",
            orders=True,
        )  # fmt: skip

    def _order(self, order: dict[str, Any]) -> None:
        if self._child is None or not self._child.running:
            raise OSError(f"{self.model.id} has no power")
        self._child.order(json.dumps(order).encode())

    def _settings(self) -> str:
        of = self.model
        lines = [
            f"data_dir = {json.dumps(str(self._folder / 'data'))}",
            "[kiosk]",
            f'id = "{of.id}"',
            f'campus = "{of.campus}"',
            f'room = "{of.room}"',
            'help_call = "214"',
            "[screen]",
            f"port = {of.port}",
            "[link]",
            f'urls = ["mqtt://127.0.0.1:{self.relay.port}"]',
            f"certificate = {json.dumps(str(self.world.certificate))}",
            "[panel]",
            *(f"{role}_shutter_pin = {pin}" for role, pin in _SHUTTER_PINS.items()),
            "[audio]",
            "fitted = true",
            f'microphone = "{MICROPHONE_ID}"',
            f'speaker = "{SPEAKER_ID}"',
            *(("[network]", f'fleet_url = "http://127.0.0.1:{self.fleet_relay.port}"') if self._fleet_port else ()),
            "[recording]",
            f'fleet_key = "{of.fleet_key}"',
            f'receipt_key = "{of.receipt_key}"',
            "[cameras]",
            'idle = "watch"',
            f"picture_checks = {json.dumps(of.picture_checks)}",
        ]
        for role in ROLES:
            width, height, fps = _CAMERAS[role]
            uri = json.dumps(of.sources[role])
            lines += [f"[cameras.{role}]", f"uri = {uri}", f"width = {width}", f"height = {height}", f"fps = {fps}"]
        return "\n".join(lines) + "\n"
