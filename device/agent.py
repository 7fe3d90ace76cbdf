"""The kiosk agent: one readable function that builds the parts, starts them, and stops them in reverse."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import uvicorn

from device import boot, chores, placement, reboot
from device.appliance import progress
from device.appliance.notify import Notifier
from device.audio.sound import Hearing
from device.audio.watch import SoundWatch
from device.cameras.boundary import DEFAULT_FACTORY
from device.cameras.supervisor import Camera
from device.chimes import Chime, Speaker, samples
from device.commissioning import Commissioning
from device.errors import PanelError, ShelfError, StartError
from device.gestures import Gesture
from device.health import Sensors
from device.identity.renewing import Renewal
from device.kiosk import Kiosk
from device.kit import kit
from device.netcheck.run import World
from device.netcheck.watch import NetWatch
from device.panel import Panel
from device.release import VERSION
from device.remedies import Remedies, synchronize
from device.screen.app import create_screen
from device.screen.netcheck_page import NetcheckPage
from device.screen.page import Page
from device.senses import Papers, Senses
from device.session import opening, windows
from device.session import states as s
from device.session.clock import Clock, SystemClock
from device.session.journal import Journal
from device.session.kiosk_clock import KioskClock
from device.settings import Settings
from device.uplink import Uplink
from device.vault import Vault

_log = logging.getLogger(__name__)

LEDGER_FILE: Final = "ledger.db"
STOP_WITHIN_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Hardware:
    """What the agent stands on; the lab hands it a simulated kit."""

    clock: Clock = field(default_factory=SystemClock)
    """The machine's own; the agent goes by what it makes of it (`device/session/kiosk_clock.py`)."""
    pin_factory: Any = None
    camera_factory: str = DEFAULT_FACTORY
    camera_args: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    speaker: Speaker | None = None
    """Plays the tones; None leaves it to the loudspeaker that is fitted, and a kiosk without one stays silent."""
    reboot: Callable[[], None] | None = None
    """Restarts the whole machine; None where nobody may."""
    sensors: Sensors = field(default_factory=Sensors)
    hearing: Hearing = field(default_factory=Hearing)
    network: World = field(default_factory=World)


async def run(settings: Settings, hardware: Hardware) -> None:
    """Run one kiosk until SIGTERM or SIGINT.

    Raises:
        StartError: the screen's port is taken, or the data folder cannot be used.
    """
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopping.set)

    async with contextlib.AsyncExitStack() as stack:
        sock = stack.enter_context(listen(settings.screen.port))
        clock = KioskClock(hardware.clock)
        ledger = opening.open_ledger(settings.data_dir / LEDGER_FILE, clock.now())
        clock.remember(boot.clock_floor(ledger))
        journal = Journal(ledger)
        stack.push_async_callback(journal.close)
        found = boot.find(ledger)
        gestures: asyncio.Queue[Gesture] = asyncio.Queue()
        panel = _open_panel(settings, hardware, lambda one: loop.call_soon_threadsafe(gestures.put_nowait, one))
        if panel:
            stack.callback(panel.stop)

        cameras: dict[str, Camera] = {}
        kiosk = Kiosk(settings, clock, journal, panel, cameras)
        for chime in Chime:
            samples(chime)  # made now, so that no press waits for them
        vault = _open_vault(settings, cameras, kiosk)
        if vault:
            kiosk.vault = vault
            stack.push_async_callback(vault.close)
        placed = placement.load(settings.data_dir)
        cameras |= _cameras(settings, hardware, kiosk, placed)
        commissioning = Commissioning(kiosk, cameras, placed)
        commissioning.recall()
        kiosk.takes_press = commissioning.takes_press
        uplink = Uplink(kiosk, journal, hardware.sensors)
        senses = _senses(settings, hardware, kiosk, uplink, panel)
        remedies = _remedies(kiosk, senses, uplink, journal)
        # In a session the connection goes on by the old one, which is good for half of its life yet.
        renewal = Renewal(settings, kiosk.clock.now, lambda: None if kiosk.state.session else uplink.link.reconnect())
        app = create_screen(kiosk, settings.screen.port, settings.kiosk.language, commissioning)
        NetcheckPage(settings, senses.network, Page()).add_to(app)
        screen = ServerInLoop(
            uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=1)
        )

        _recall(kiosk, found, boot.count_start(ledger, clock.now()))
        booted = s.Booted(VERSION, found.open, found.done, found.overdue, found.made_up, found.explained)
        if vault:
            # Before any camera writes: what lies there is the last boot's.
            await vault.recover(found.segments, found.wrong_students, found.alive)

        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(work, name=f"kiosk.{name}")
                for name, work in (
                    ("events", kiosk.run()),
                    ("boot", chores.say_booted(kiosk, booted)),
                    ("gestures", chores.hand_over_gestures(kiosk, gestures)),
                    ("cameras.overhead", cameras["overhead"].run()),
                    ("cameras.front", cameras["front"].run()),
                    ("judge", chores.judge(kiosk)),
                    ("alive", chores.keep_alive_instant(kiosk, journal)),
                    ("clock", chores.watch_clock(kiosk)),
                    ("commissioning", commissioning.run()),
                    ("retry", chores.retry_ledger(kiosk, journal)),
                    ("prune", chores.prune_ledger(kiosk, journal)),
                    ("proof", chores.prove_storage(kiosk, journal)),
                    ("sound", senses.sound.run(lambda: kiosk.state, kiosk.clock.now)),
                    ("network", senses.network.run()),
                    ("papers", senses.papers.run()),
                    ("renewal", renewal.run()),
                    ("remedies", remedies.run(lambda: kiosk.judgement.signals, lambda: kiosk.state, kiosk.clock.now)),
                    ("link", uplink.link.run()),
                    ("outbox", uplink.outbox.run()),
                    ("readiness", uplink.run_readiness()),
                    ("health", uplink.run_health()),
                    ("commands", uplink.run_commands()),
                    ("preflight", uplink.looks.run()),
                    ("rebooter", reboot.watch(kiosk, hardware.reboot)),
                    ("progress", progress.watch(kiosk, journal, Notifier.of())),
                    *((("vault", vault.run()),) if vault else ()),
                    *((("uploader", uplink.uploader.run()),) if uplink.uploader else ()),
                )
            ]
            tasks.create_task(screen.serve(sockets=[sock]), name="kiosk.screen")
            _log.info("kiosk %s %s runs; its screen is on port %d", settings.kiosk.id, VERSION, settings.screen.port)
            await stopping.wait()

            _log.info("stopping")
            app.state.streams.close()
            screen.should_exit = True
            await uplink.say_goodbye()
            await asyncio.gather(*(camera.stop(STOP_WITHIN_S) for camera in cameras.values()))
            for task in running:
                task.cancel()


class ServerInLoop(uvicorn.Server):
    """uvicorn as a guest in somebody's loop; signals belong to the host."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


def listen(port: int) -> socket.socket:
    """The screen's own socket, on loopback only; raises `StartError` when it is taken."""
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


def _open_panel(settings: Settings, hardware: Hardware, on_gesture: Any) -> Panel | None:
    try:
        panel = Panel(settings.panel, on_gesture, hardware.pin_factory)
    except PanelError as error:
        _log.warning("%s; the screen does what the button would", error)
        return None
    panel.start()
    return panel


def _senses(settings: Settings, hardware: Hardware, kiosk: Kiosk, uplink: Uplink, panel: Panel | None) -> Senses:
    def in_session() -> bool:
        return kiosk.state.session is not None

    def may_listen() -> bool:
        """Only while the cameras' lamp is lit, and in no session: the call has the microphone, a pause has nobody."""
        return kiosk.cameras.are_open and not in_session()

    sound = SoundWatch(
        settings.audio, hardware.hearing, may_listen, lambda: windows.first_bell(kiosk.state, hardware.clock.now())
    )
    network = NetWatch(settings, hardware.network, uplink.link, in_session)
    senses = Senses(sound, network, Papers(settings.link.certificate), panel.shutters if panel else dict)
    kiosk.senses, kiosk.speaker = senses, hardware.speaker or sound.speaker
    return senses


def _recall(kiosk: Kiosk, found: boot.Found, starts: Sequence[datetime]) -> None:
    kiosk.starts = starts
    kiosk.resume_session(found.session, found.rows)
    if found.schedule:
        kiosk.post(s.ScheduleSet(found.schedule))


def _remedies(kiosk: Kiosk, senses: Senses, uplink: Uplink, journal: Journal) -> Remedies:
    does = {"netcheck": senses.network.in_words, "reconnect": uplink.reconnect, "time-sync": synchronize}
    remedies = Remedies(does, journal)
    kiosk.tried = lambda: {**kiosk.ladder_tried(), **remedies.told()}
    return remedies


def _open_vault(settings: Settings, cameras: Mapping[str, Camera], kiosk: Kiosk) -> Vault | None:
    try:
        return Vault(settings, kiosk.clock, cameras, kiosk.post)
    except ShelfError as error:
        _log.error("%s; nothing is recorded", error)  # expected on a bad disk; sessions run all the same
        return None


def _cameras(settings: Settings, hardware: Hardware, kiosk: Kiosk, placed: placement.Placement) -> dict[str, Camera]:
    return {
        role: Camera(
            settings.cameras.spec(role, exchanged=placed.exchanged),
            factory=hardware.camera_factory,
            factory_args=hardware.camera_args.get(role, {}),
            mat=kit().mat.plain,
            cards=kit().cards.plain,
            checked=settings.cameras.picture_checks,
            on_change=kiosk.camera,
            on_step=kiosk.camera_step,
            on_event=kiosk.vault.told if kiosk.vault else None,
            on_burial=kiosk.vault.buried if kiosk.vault else None,
        )
        for role in s.ROLES
    }
