"""The kiosk agent: one readable function that builds the parts, starts them, and stops them in reverse."""

import asyncio
import contextlib
import logging
import signal
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import uvicorn

from device import boot
from device.cameras.boundary import DEFAULT_FACTORY
from device.cameras.source import CameraSpec
from device.cameras.supervisor import Camera
from device.errors import LedgerDamaged, LedgerUnwritable, PanelError, StartError
from device.gestures import Gesture
from device.kiosk import Kiosk
from device.panel import Panel
from device.release import VERSION
from device.screen.app import create_screen
from device.session import states as s
from device.session.clock import Clock, SystemClock
from device.session.journal import Journal
from device.session.ledger import Ledger
from device.settings import CameraSettings, Settings
from device.uplink import Uplink

_log = logging.getLogger(__name__)

LEDGER_FILE: Final = "ledger.db"
ALIVE_EVERY_S: Final = 2.0
JUDGE_EVERY_S: Final = 0.25
RETRY_EVERY_S: Final = 1.0
STEP_MS: Final = 1_000
"""A wall clock that moves this much against the monotonic one was stepped."""
STOP_WITHIN_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Hardware:
    """What the agent stands on; the lab hands it a simulated kit."""

    clock: Clock = field(default_factory=SystemClock)
    pin_factory: Any = None
    camera_factory: str = DEFAULT_FACTORY
    camera_args: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


async def run(settings: Settings, hardware: Hardware) -> None:
    """Run one kiosk until SIGTERM or SIGINT.

    Raises:
        StartError: the screen's port is taken, or the data folder cannot be used.
    """
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopping.set)

    sock = _listen(settings.screen.port)
    ledger = _open_ledger(settings)
    journal = Journal(ledger)
    found = boot.find(ledger)
    gestures: asyncio.Queue[Gesture] = asyncio.Queue()
    panel = _open_panel(settings, hardware, lambda gesture: loop.call_soon_threadsafe(gestures.put_nowait, gesture))

    cameras: dict[str, Camera] = {}
    kiosk = Kiosk(settings, hardware.clock, journal, panel, cameras)
    for role, wanted in (("overhead", settings.cameras.overhead), ("front", settings.cameras.front)):
        cameras[role] = Camera(
            _spec(role, wanted),
            factory=hardware.camera_factory,
            factory_args=hardware.camera_args.get(role, {}),
            on_change=kiosk.camera,
        )
    uplink = Uplink(kiosk, journal)
    screen = _Screen(uvicorn.Config(
        create_screen(kiosk, settings.screen.port), log_level="warning", access_log=False, lifespan="off",
        timeout_graceful_shutdown=1,
    ))  # fmt: skip

    kiosk.starts_last_hour = boot.count_start(ledger, hardware.clock.now())
    kiosk.resume_session(found.session, found.rows)
    if found.schedule:
        kiosk.post(s.ScheduleSet(found.schedule))
    kiosk.post(s.Booted(VERSION, found.open, found.done))

    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(work, name=f"kiosk.{name}")
            for name, work in (
                ("events", kiosk.run()),
                ("gestures", _gestures(kiosk, gestures)),
                ("cameras.overhead", cameras["overhead"].run()),
                ("cameras.front", cameras["front"].run()),
                ("screen", screen.serve(sockets=[sock])),
                ("judge", _judge(kiosk)),
                ("alive", _alive(kiosk, journal)),
                ("clock", _watch_clock(kiosk)),
                ("retry", _retry(kiosk, journal)),
                ("link", uplink.link.run()),
                ("outbox", uplink.outbox.run()),
                ("readiness", uplink.run_readiness()),
                ("health", uplink.run_health()),
                ("commands", uplink.run_commands()),
            )
        ]
        _log.info(
            "kiosk %s %s runs; its screen is http://127.0.0.1:%d/", settings.kiosk.id, VERSION, settings.screen.port
        )
        await stopping.wait()

        _log.info("stopping")
        screen.should_exit = True
        await uplink.say_goodbye()
        await asyncio.gather(*(camera.stop(STOP_WITHIN_S) for camera in cameras.values()))
        for task in running:
            if task.get_name() != "kiosk.screen":
                task.cancel()
    if panel:
        panel.stop()
    await journal.close()


class _Screen(uvicorn.Server):
    """uvicorn in the agent's loop; signals belong to the agent."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


def _listen(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", port))
        sock.listen()
    except OSError as error:
        sock.close()
        raise StartError(
            f"port {port} on 127.0.0.1 cannot be used for the screen ({error.strerror}); "
            "choose another with port = ... under [screen] in kiosk.toml"
        ) from error
    return sock


def _open_ledger(settings: Settings) -> Ledger:
    path = settings.data_dir / LEDGER_FILE
    try:
        return Ledger.open(path)
    except LedgerDamaged as error:
        set_aside = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
        _log.error("%s; it is kept as %s and a new one is begun", error, set_aside.name)
        for name in ("", "-wal", "-shm"):
            part = path.with_name(path.name + name)
            if part.exists():
                part.rename(set_aside.with_name(set_aside.name + name))
    except LedgerUnwritable as error:
        raise StartError(f"{error}; check data_dir in kiosk.toml and that the disk is not full") from error
    return Ledger.open(path)


def _open_panel(settings: Settings, hardware: Hardware, on_gesture: Any) -> Panel | None:
    try:
        panel = Panel(settings.panel, on_gesture, hardware.pin_factory)
    except PanelError as error:
        _log.warning("%s; the screen does what the button would", error)
        return None
    panel.start()
    return panel


def _spec(role: str, of: CameraSettings) -> CameraSpec:
    return CameraSpec(role=role, uri=of.uri, width=of.width, height=of.height, fps=of.fps)


async def _gestures(kiosk: Kiosk, waiting: asyncio.Queue[Gesture]) -> None:
    """Hand over what the button said, from the moment the pins were taken on."""
    while True:
        gesture = await waiting.get()
        kiosk.gesture(gesture, kiosk.clock.now().mono_ns - time.monotonic_ns())


async def _judge(kiosk: Kiosk) -> None:
    while True:
        kiosk.judge()
        await asyncio.sleep(JUDGE_EVERY_S)


async def _alive(kiosk: Kiosk, journal: Journal) -> None:
    """In a session, keep the instant lived through, so that after a power cut the minutes end where life did."""
    while True:
        if kiosk.state.session:
            now = kiosk.clock.now()
            with contextlib.suppress(LedgerUnwritable):  # told by the row that fails next; there is always one
                await journal.call(lambda ledger, now=now: boot.remember_alive(ledger, now))  # type: ignore[misc]
        await asyncio.sleep(ALIVE_EVERY_S)


async def _watch_clock(kiosk: Kiosk) -> None:
    """Notice when the wall clock is stepped against the monotonic one."""
    before = kiosk.clock.now()
    while True:
        await asyncio.sleep(1)
        now = kiosk.clock.now()
        wall_ms = (now.wall - before.wall).total_seconds() * 1_000
        step_ms = round(wall_ms - (now.mono_ns - before.mono_ns) / 1_000_000)
        if abs(step_ms) >= STEP_MS or now.trust is not before.trust:
            kiosk.post(s.ClockStepped(step_ms))
        before = now


async def _retry(kiosk: Kiosk, journal: Journal) -> None:
    """While the disk refuses, try again every second what is kept in memory."""
    while True:
        await asyncio.sleep(RETRY_EVERY_S)
        if not kiosk.unwritten:
            continue
        try:
            await journal.call(Ledger.write_waiting)
        except LedgerUnwritable:
            continue  # said once when it began
        _log.info("the ledger can be written again")
        kiosk.unwritten = False
        kiosk.post(s.StorageChanged(ok=True))
