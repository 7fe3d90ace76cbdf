"""Runs the fleet: what is started here is stopped here, in reverse, each with a deadline."""

import asyncio
import logging
import secrets
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

import uvicorn

from fleet.app import create_app
from fleet.broker import Link
from fleet.channels import Mail, Port, Webhook
from fleet.clock import Clock, SystemClock
from fleet.courier import Courier
from fleet.diary import StoredDiary
from fleet.errors import FleetError, PortTaken
from fleet.inbox import Inbox
from fleet.ingest import Ingest
from fleet.long_lived import keep_settled
from fleet.metrics import Metrics
from fleet.notices import Channel
from fleet.parts import FleetParts
from fleet.roll import Roll
from fleet.school import SettledSchool
from fleet.sending import Schedules
from fleet.settings import FleetSettings
from fleet.store import kiosks, sessions
from fleet.store.engine import Database
from fleet.store.migrate import migrate
from fleet.watch import Watch

_log = logging.getLogger(__name__)

STOP_WITHIN_S: Final = 5.0


class IngestEnded(FleetError):
    """The ingest met a defect; without it the service would only look alive."""


def serve(settings: FleetSettings, clock: Clock | None = None) -> None:
    """Run API, console and ingest until a signal says stop.

    Args:
        settings: what the settings file says.
        clock: where the time comes from, if not from the machine.

    Raises:
        PortTaken: the message says which and how to choose another.
        SettingsUnusable: something that the settings name cannot be used.
        StoreDown: the database cannot be opened.
        IngestEnded: a defect.
    """
    listening = _listen(settings.host, settings.port)
    settings = settings.model_copy(update={"port": listening.getsockname()[1]})
    try:
        asyncio.run(_serve(settings, listening, clock or SystemClock()))
    finally:
        listening.close()


def ingest(settings: FleetSettings) -> None:
    """Run the ingest alone, beside a service that answers readers, until a signal says stop; raises as `serve`."""

    async def run() -> None:
        stop = _stop_signal()
        with _opened(settings, SystemClock()) as parts, _taking_in(parts, on_failure=stop.failed):
            await stop.wait()
        stop.raise_if_failed()

    asyncio.run(run())


async def _serve(settings: FleetSettings, listening: socket.socket, clock: Clock) -> None:
    stop = _stop_signal()
    with (
        _opened(settings, clock) as parts,
        _watching(parts, on_failure=stop.failed),
        _taking_in(parts, on_failure=stop.failed),
    ):
        server = _Server(
            uvicorn.Config(
                create_app(parts),
                log_config=None,
                access_log=False,  # sign-in links stand in addresses
                server_header=False,
                timeout_graceful_shutdown=int(STOP_WITHIN_S) - 2,
                limit_concurrency=1_000,
            )
        )
        serving = asyncio.create_task(server.serve(sockets=[listening]), name="fleet.http")
        stopping = asyncio.create_task(stop.wait(), name="fleet.stop")
        settling = asyncio.create_task(keep_settled(), name="fleet.settle")
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        parts.changes.close()  # ends the event streams, which would keep the server waiting
        server.should_exit = True
        await asyncio.wait({serving}, timeout=STOP_WITHIN_S)
        stopping.cancel()
        settling.cancel()
        if serving.done():
            serving.result()
    stop.raise_if_failed()


class _Server(uvicorn.Server):
    """Leaves the signals to us, because more than the HTTP side has to be stopped."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


@contextmanager
def _opened(settings: FleetSettings, clock: Clock) -> Iterator[FleetParts]:
    """Database, roll and the rest, without anything that runs."""
    database = Database(settings.database_url)
    try:
        migrate(database)
        with database.write() as connection:
            sessions.touch_outdated(connection)
        with database.read() as connection:
            roll = Roll(kiosks.load(connection, clock.now()))
        yield FleetParts(settings, database, roll, Metrics(roll, clock), clock)
    finally:
        database.close()


@contextmanager
def _watching(parts: FleetParts, on_failure: Callable[[], None]) -> Iterator[None]:
    """Incidents and their notices."""
    of, clock = parts.settings, parts.clock
    diary = StoredDiary(parts.database, clock, SettledSchool(of.school_hours))
    ports: dict[Channel, Port] = {Channel.WEBHOOK: Webhook(of.webhook, of.data_dir, clock)}
    if of.smtp is not None:
        ports[Channel.EMAIL] = Mail(of.smtp, clock)
    tell = parts.changes.tell
    courier = Courier(parts.database, clock, diary, ports, of.own_url, on_change=tell, on_failure=on_failure)
    watch = parts.watch = Watch(
        parts.database,
        parts.roll,
        clock,
        diary,
        keep=timedelta(days=of.keep_incidents_days),
        keep_record=timedelta(days=366 * of.keep_records_years),
        listens=lambda: parts.broker is not None and parts.broker.connected,
        on_change=tell,
        on_notice=courier.tell,
        on_failure=on_failure,
    )
    courier.start()
    watch.start()
    try:
        yield
    finally:
        for name, ended in (("watch", watch.stop(STOP_WITHIN_S)), ("courier", courier.stop(STOP_WITHIN_S))):
            if not ended:
                _log.warning("the %s did not stop within %.0f s", name, STOP_WITHIN_S)


@contextmanager
def _taking_in(parts: FleetParts, on_failure: Callable[[], None]) -> Iterator[None]:
    """The link to the broker and the ingest behind it."""
    inbox = Inbox()
    link = Link(parts.settings, inbox, client_id=f"carrel-fleet-{secrets.token_hex(4)}")
    schedules = Schedules(parts.database, link, parts.clock, parts.settings.time_zone)
    keeper = Ingest(
        inbox,
        parts.database,
        parts.roll,
        link,
        parts.metrics,
        parts.clock,
        stills=parts.stills,
        uploads=parts.uploads,
        on_change=parts.tell,
        on_folded=parts.days.stale,
        on_failure=on_failure,
    )
    parts.broker, parts.keeper = link, keeper
    keeper.start()
    schedules.start()
    link.start()
    try:
        yield
    finally:
        # The ingest first: its last answers still have a way out.
        stopped = {
            "ingest": keeper.stop(STOP_WITHIN_S),
            "schedules": schedules.stop(STOP_WITHIN_S),
            "link": link.stop(STOP_WITHIN_S),
        }
        for name, ended in stopped.items():
            if not ended:
                _log.warning("the %s did not stop within %.0f s", name, STOP_WITHIN_S)


class _Stop:
    """Says when to stop: at a signal, or when a part failed."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._asked = asyncio.Event()
        self._failed = False

    async def wait(self) -> None:
        await self._asked.wait()

    def ask(self) -> None:
        self._asked.set()

    def failed(self) -> None:
        """A part ended by a defect; called on its thread."""
        self._failed = True
        self._loop.call_soon_threadsafe(self._asked.set)

    def raise_if_failed(self) -> None:
        if self._failed:
            raise IngestEnded("the ingest ended by a defect; the log says which")


def _stop_signal() -> _Stop:
    stop = _Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.ask)
    return stop


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise PortTaken(f"{host}:{port} is no address to listen on: {error.strerror}. Change `host`.") from error
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
    except OSError as error:
        listening.close()
        raise PortTaken(
            f"port {port} of {host} cannot be used: {error.strerror}. "
            "Choose another with --port or `port` in the settings file."
        ) from error
    listening.set_inheritable(False)
    return listening
