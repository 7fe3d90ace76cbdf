"""The whole product on one machine: broker, fleet and kiosks, each a process of its own, with a network to break."""

import asyncio
import contextlib
import json
import logging
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import uvicorn

from device.agent import ServerInLoop
from fleet.segment_keys import SegmentKeys
from fleet.settings import load
from fleet.upload_keys import receipt_public
from lab.api import create_lab
from lab.bookings import BOOKINGS, book
from lab.broker import RESTART_S, Broker, mosquitto_path, start_broker
from lab.day import Day
from lab.day_clock import DayClock, next_school_day
from lab.notices import postbox, tell_people
from lab.people import People, invite
from lab.processes import Child, Kept
from lab.simulated import ROLES, Model, SimulatedKiosk

_log = logging.getLogger(__name__)

READY_WITHIN_S: Final = 60.0
STOP_WITHIN_S: Final = 5.0
_ROOMS: Final = (
    ("lincoln-12", "lincoln", "Room 12"),
    ("lincoln-4", "lincoln", "Room 4"),
    ("roosevelt-library", "roosevelt", "Library"),
    ("grant-2", "grant", "Room 2"),
)


class DemoError(Exception):
    """The demo cannot start; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Options:
    """What `carrel-lab demo` was asked for."""

    kiosks: int = 3
    port: int = 8000
    front: str = "scene:student"
    overhead: str = "scene:desk"
    record: bool = False
    """Whether each kiosk has a booking open now that is recorded from the press on."""
    picture_checks: bool = True
    """Whether the kiosks look at their pictures."""
    seconds: float | None = None
    data_dir: Path | None = None
    json: bool = False
    day: bool = False
    """Whether a school day is played, with bookings, a fault and somebody who does not come."""


@dataclass(slots=True)
class Demo:
    """The running parts."""

    folder: Path
    fleet_url: str
    lab_url: str
    broker: Broker
    fleet: Kept
    people: People
    clock: DayClock
    kiosks: dict[str, SimulatedKiosk] = field(default_factory=dict)
    booked: bool = False
    """Whether every kiosk has to hold a schedule before the demo is ready."""

    async def describe(self) -> dict[str, Any]:
        """What `--json` prints, as of now."""
        async with httpx.AsyncClient() as client:
            pids = {id_: await _pids(one, client) for id_, one in self.kiosks.items()}
        return {
            "fleet": self.fleet_url,
            "broker": f"mqtt://127.0.0.1:{self.broker.port}",
            "lab": self.lab_url,
            "api_token": self.people.api_token,
            "sign_in": {role: f"{self.fleet_url}/sign-in/{secret}" for role, secret in self.people.links.items()},
            "kiosks": [
                {"id": one.model.id, "campus": one.model.campus, "screen": one.url} for one in self.kiosks.values()
            ],
            "pids": {
                "fleet": self.fleet.pid,
                "broker": self.broker.child.pid if self.broker.child else None,
                "kiosks": pids,
            },
        }


async def run(options: Options) -> None:
    """Run the demo until Ctrl-C, SIGTERM or its time is over; nothing of it is left afterwards.

    Raises:
        DemoError: a port is taken, or a part did not come up.
    """
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    say = _progress if not options.json else _quiet
    async with _folder(options) as folder, parts(options, folder, say) as demo:
        ready = asyncio.ensure_future(_ready(demo))
        ended = asyncio.ensure_future(stopping.wait())
        await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
        if ready.done():
            _announce(ready.result(), options, demo)
            day = asyncio.ensure_future(_play(demo, options)) if options.day else None
            if day is not None:
                day.add_done_callback(lambda of: stopping.set() if not of.cancelled() and of.exception() else None)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(options.seconds):
                    await stopping.wait()
            if day is not None:
                day.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await day
        for one in (ready, ended):
            one.cancel()
        say("Stopping ...")


async def _play(demo: Demo, options: Options) -> None:
    """The school day; the demo goes on after it."""
    headers = {"Authorization": f"Bearer {demo.people.api_token}"}
    say = _quiet if options.json else _progress
    async with httpx.AsyncClient(base_url=f"{demo.fleet_url}/api/v1", headers=headers, timeout=20) as fleet:
        try:
            await Day(list(demo.kiosks.values()), demo.clock, fleet, demo.lab_url, demo.folder, say).play()
        except TimeoutError as error:
            raise DemoError(f"the day stands still: something did not happen. {_last_words(demo.folder)}") from error
    say("The day is over; the demo goes on. Ctrl-C ends it.")


@contextlib.asynccontextmanager
async def parts(options: Options, folder: Path, say: Callable[[str], None]) -> AsyncIterator[Demo]:
    """Start broker, fleet, lab and kiosks; stop them in reverse, whatever happened in between."""
    async with contextlib.AsyncExitStack() as stack:
        say(f"Starting the broker: {'mosquitto' if mosquitto_path() else 'amqtt, as mosquitto is not installed'} ...")
        broker = await start_broker(_made(folder / "broker"), free_port())
        stack.push_async_callback(broker.stop)

        say("Starting the fleet ...")
        port = _port_for_fleet(options.port)
        box = await stack.enter_async_context(postbox())
        config = fleet_settings(_made(folder / "fleet"), port, broker.port, box.settings)
        clock = DayClock(folder / "clock")
        if options.day:
            clock.set_forward(next_school_day(clock.now().at))
        people = await asyncio.to_thread(invite, config, clock.now())
        await asyncio.to_thread(tell_people, config, box, clock.now().at)
        key = await asyncio.to_thread(segment_key, config)
        command = ["fleet.cli", "serve"] if not options.day else ["lab.fleet", "--clock", str(clock.file)]
        command = [sys.executable, "-P", "-m", *command, "--config", str(config)]
        fleet = Kept(lambda: Child(command, log=folder / "fleet.log"), RESTART_S)
        stack.push_async_callback(fleet.stop, STOP_WITHIN_S)

        say(f"Starting {options.kiosks} kiosk{'s' if options.kiosks != 1 else ''} ...")
        lab_socket = _socket()
        lab_url = f"http://127.0.0.1:{lab_socket.getsockname()[1]}"
        demo = Demo(folder, f"http://127.0.0.1:{port}", lab_url, broker, fleet, people, clock)
        receipts = await asyncio.to_thread(lambda: receipt_public(load(config).data_dir))
        models = _models(options, key, receipts)
        if options.record:
            booking = asyncio.ensure_future(book(models, demo.fleet_url, people.api_token))
            stack.callback(booking.cancel)
            demo.booked = True
        for model in models:
            one = SimulatedKiosk(model, _made(folder / model.id), broker.port, port)
            demo.kiosks[model.id] = one
            one.clock_offset_s = clock.offset.total_seconds()
            await one.start()
        stack.push_async_callback(_stop_kiosks, demo)

        server = ServerInLoop(
            uvicorn.Config(create_lab(demo.kiosks, demo.describe, box), log_level="warning", lifespan="off")
        )
        serving = asyncio.ensure_future(server.serve(sockets=[lab_socket]))
        stack.push_async_callback(_stop_server, server, serving)
        yield demo


async def _ready(demo: Demo) -> dict[str, Any]:
    """Wait until the fleet answers and every kiosk shows pictures and has its link; the description then."""
    try:
        async with asyncio.timeout(READY_WITHIN_S), httpx.AsyncClient() as client:
            while not await _all_ready(demo, client):  # noqa: ASYNC110  # other processes raise no event here
                await asyncio.sleep(0.2)
    except TimeoutError as error:
        raise DemoError(f"not ready after {READY_WITHIN_S:.0f} s. {_last_words(demo.folder)}") from error
    return await demo.describe()


def _last_words(folder: Path) -> str:
    """The last line of each log, because the folder may be gone when somebody wants to read it."""
    logs = {path.name: path.read_text(errors="replace").splitlines() for path in sorted(folder.rglob("*.log"))}
    return " ".join(f"{name} ends with {lines[-1]!r}." for name, lines in logs.items() if lines)


async def _all_ready(demo: Demo, client: httpx.AsyncClient) -> bool:
    answers = [
        _fleet_ready(demo, client),
        *(_kiosk_ready(one, client, booked=demo.booked) for one in demo.kiosks.values()),
    ]
    return all(await asyncio.gather(*answers))


async def _fleet_ready(demo: Demo, client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get(f"{demo.fleet_url}/readyz", timeout=2)).is_success
    except httpx.HTTPError:
        return False


async def _kiosk_ready(kiosk: SimulatedKiosk, client: httpx.AsyncClient, *, booked: bool) -> bool:
    """Up, linked, told its schedule if it has one, and each camera known to give pictures or known to be missing."""
    state = await kiosk.state(client)
    if state is None or not state["link"]["up"]:
        return False
    if booked and (state["schedule"] is None or state["schedule"]["bookings"] < BOOKINGS):
        return False
    return all(state["cameras"][role]["state"] in {"open", "missing"} for role in ROLES)


async def _pids(kiosk: SimulatedKiosk, client: httpx.AsyncClient) -> dict[str, int | None]:
    state = await kiosk.state(client) if kiosk.powered else None
    cameras = state["cameras"] if state else {}
    return {"agent": kiosk.pid, **{role: cameras.get(role, {}).get("pid") for role in ROLES}}


def _announce(description: dict[str, Any], options: Options, demo: Demo) -> None:
    if options.json:
        sys.stdout.write(json.dumps(description) + "\n")
        sys.stdout.flush()
        return
    lines = ["", f"Carrel runs. Broker: {demo.broker.name}.", ""]
    lines += [f"  Kiosk screen, {one.model.room:<10} {one.url}" for one in demo.kiosks.values()]
    lines += [f"  Board, as {role:<14} {url}" for role, url in description["sign_in"].items()]
    lines += [f"  Lab: break things        {demo.lab_url}/"]
    lines += [f"  Mails and webhooks of it {demo.lab_url}/notices", ""]
    if options.record:
        lines += ["Recording: each kiosk has a booking open now, with consent; its segments lie sealed in"]
        lines += [
            f"  {demo.folder}/KIOSK/data/segments/ until the fleet has them, in",
            f"  {demo.folder}/fleet/data/segments/",
        ]
        lines += [
            f"  (open one: carrel-fleet open-segment FILE --config {demo.folder}/fleet/fleet.toml -o FILE.mp4)",
            "",
        ]
    lines += ["Open a kiosk screen and tap it to start a session; watch it on the board; cut the network in the lab."]
    lines += ["Ctrl-C ends everything."]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def segment_key(config: Path) -> str:
    """The public key of the fleet at `config` to which kiosks seal their video; made if there is none."""
    keys = SegmentKeys(load(config).segment_keys_dir)
    return (keys.current() or keys.make(datetime.now(UTC))).public


def _models(options: Options, fleet_key: str, receipt_key: str) -> list[Model]:
    sources = {"front": options.front, "overhead": options.overhead}
    rooms = [*_ROOMS, *((f"annex-{n}", "annex", f"Annex {n}") for n in range(1, options.kiosks))]
    return [
        Model(id_, campus, room, free_port(), sources, fleet_key, options.picture_checks, receipt_key)
        for id_, campus, room in rooms[: options.kiosks]
    ]


def fleet_settings(folder: Path, port: int, broker_port: int, more: str = "") -> Path:
    """Write a fleet.toml into `folder`; `more` are further groups of it."""
    path = folder / "fleet.toml"
    path.write_text(
        f"data_dir = {json.dumps(str(folder / 'data'))}\nport = {port}\n"
        f'brokers = ["mqtt://127.0.0.1:{broker_port}"]\npublic_url = "http://127.0.0.1:{port}"\n{more}'
    )
    return path


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with _socket() as sock:
        port: int = sock.getsockname()[1]
        return port


def _port_for_fleet(port: int) -> int:
    if port == 0:
        return free_port()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise DemoError(f"port {port} is taken; choose another: carrel-lab demo --port {port + 1}") from error
    return port


def _socket() -> socket.socket:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock


@contextlib.asynccontextmanager
async def _folder(options: Options) -> AsyncIterator[Path]:
    """The demo's data: the folder that was named, or one that is removed at the end."""
    if options.data_dir:
        yield _made(options.data_dir.resolve())
        return
    folder = Path(tempfile.mkdtemp(prefix="carrel-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DemoError(f"{folder}: {error.strerror}; name another folder with --data-dir") from error
    return folder


async def _stop_kiosks(demo: Demo) -> None:
    await asyncio.gather(*(one.stop() for one in demo.kiosks.values()))


async def _stop_server(server: uvicorn.Server, serving: asyncio.Future[None]) -> None:
    server.should_exit = True
    server.force_exit = True
    await serving


def _progress(text: str) -> None:
    sys.stderr.write(text + "\n")


def _quiet(text: str) -> None:
    _log.debug("%s", text)
