"""Carries notices from the outbox to people and programs; what is not taken is tried again, for a day.

A notice is claimed in the store before it is tried, so that no two processes try it, and marked when the other side
took it. Killed between the two, the next start finds the claim run out and sends it again: at least once, and the
receiver can tell by the notice's id, which stands in the mail's Message-ID and in `webhook-id`.
"""

import logging
import random
import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final

from fleet.channels import NotTaken, Port
from fleet.clock import Clock, moment
from fleet.errors import StoreDown
from fleet.notices import Channel, Kind, Notice, School, To
from fleet.store import notices as store
from fleet.store.engine import Database
from wire.signals import Severity

_log = logging.getLogger(__name__)

LOOK_S: Final = 2.0
CLAIM: Final = timedelta(seconds=60)
BEGIN_WITHIN_S: Final = 15.0
"""A claimed notice that could not begin by then is left for later: its claim must outlast the longest try."""
MARK_WITHIN_S: Final = 15.0
_MARK_AGAIN_S: Final = 0.2
GIVE_UP: Final = timedelta(hours=24)
FIRST_WAIT_S: Final = 5.0
LONGEST_WAIT_S: Final = 900.0
AT_ONCE: Final = 20
_WORKERS: Final = 4


def wait_s(attempts: int, chance: float) -> float:
    """How long to wait after so many attempts: doubled each time, up to a quarter of an hour, half of it by chance."""
    longest_s: float = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(attempts - 1, 16))
    return longest_s * (0.5 + chance / 2)


class Courier:
    """One thread that looks, and a few for each channel that send."""

    def __init__(  # where from, where to, whom it tells
        self,
        database: Database,
        clock: Clock,
        school: School,
        ports: Mapping[Channel, Port],
        own_url: str,
        *,
        chance: Callable[[], float] = random.random,
        on_change: Callable[[Collection[str]], None] = lambda _kiosks: None,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        """Say where notices lie and how they leave.

        Args:
            database: the outbox.
            clock: the time.
            school: the campuses' zones.
            ports: by channel; a notice of a channel that has none waits, and says why.
            own_url: what links to this service begin with.
            chance: 0 to 1, spreads what is tried again.
            on_change: told of the kiosks whose notices moved.
            on_failure: told when the thread ends by a defect.
        """
        self._database, self._clock, self._school, self._ports, self._own_url = database, clock, school, ports, own_url
        self._chance, self._on_change, self._on_failure = chance, on_change, on_failure
        self._pools = {channel: ThreadPoolExecutor(_WORKERS, f"fleet.{channel}") for channel in ports}
        self._news, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="fleet.courier", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Begin nothing more; whether the thread ended in time. What is under way stays claimed and is tried again."""
        self._stopping.set()
        self._news.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        return not self._thread.is_alive()

    def tell(self) -> None:
        """The outbox has something new; from any thread."""
        self._news.set()

    def look(self) -> int:
        """Claim what is due and give it to the channels; how many that were. Raises `StoreDown`."""
        now = self._clock.now()
        with self._database.read() as connection:
            if not store.has_due(connection, now.at):
                return 0
        with self._database.write() as connection:
            rows = store.claim(connection, now.at, now.at + CLAIM, AT_ONCE)
        for row in rows:
            pool = self._pools.get(Channel(row.channel))
            if pool is None:
                self._tried(row, NotTaken(f"this fleet has no {row.channel} configured"))
            else:
                pool.submit(self._send, row, now.mono_s + BEGIN_WITHIN_S)
        return len(rows)

    def _run(self) -> None:
        failing = False
        try:
            while not self._stopping.is_set():
                self._news.wait(LOOK_S)
                self._news.clear()
                try:
                    while not self._stopping.is_set() and self.look() == AT_ONCE:
                        pass
                    failing = False
                except StoreDown as error:
                    _log.log(logging.DEBUG if failing else logging.ERROR, "no notice can leave: %s", error)
                    failing = True
                    self._stopping.wait(LOOK_S)
        except Exception:  # noqa: BLE001  # the loop's edge: a fleet must not go on without it as if all were well
            _log.exception("the courier ended by a defect")
            self._on_failure()

    def _send(self, row: Any, begin_by_s: float) -> None:
        if self._stopping.is_set() or self._clock.now().mono_s > begin_by_s:
            return
        try:
            notice = notice_of(row, self._school)
            path = f"incidents/{row.incident}" if row.incident is not None else f"schedule?campus={row.campus}"
            self._ports[Channel(row.channel)].send(notice, row.address or "", f"{self._own_url}/{path}")
        except NotTaken as error:
            self._tried(row, error)
        except Exception as error:  # noqa: BLE001  # a defect with one notice must not cost the others
            _log.exception("notice %s met a defect", row.id)
            self._tried(row, NotTaken(f"a defect: {type(error).__name__}"))
        else:
            self._tried(row, None)

    def _tried(self, row: Any, error: NotTaken | None) -> None:
        """Mark how it went; while the store is busy, again and again for as long as the claim holds."""
        until_s = self._clock.now().mono_s + MARK_WITHIN_S
        while True:
            try:
                with self._database.write() as connection:
                    if error is None:
                        store.sent(connection, row.id, self._clock.now().at)
                    else:
                        self._not_taken(connection, row, error)
            except StoreDown as down:
                if self._clock.now().mono_s >= until_s or self._stopping.wait(_MARK_AGAIN_S):
                    _log.warning("notice %s was tried and could not be marked; it is tried again: %s", row.id, down)
                    return
            else:
                self._on_change({row.kiosk})
                return

    def _not_taken(self, connection: Any, row: Any, error: NotTaken) -> None:
        now = self._clock.now()
        again = now.at + timedelta(seconds=wait_s(row.attempts + 1, self._chance()))
        if error.final or now.at - moment(row.created_us) >= GIVE_UP:
            _log.warning("notice %s is given up: %s", row.id, error)
            store.failed(connection, row.id, str(error), None)
            return
        _log.log(logging.DEBUG if row.attempts else logging.WARNING, "notice %s was not taken: %s", row.id, error)
        store.failed(connection, row.id, str(error), again)
        store.postpone(connection, row.channel, row.address, again)


def notice_of(row: Any, school: School) -> Notice:
    """The notice that a row of the outbox keeps, its times in campus time."""
    return Notice(
        id=row.id,
        kind=Kind(row.kind),
        incident=row.incident,
        kiosk=row.kiosk,
        campus=row.campus,
        room=row.room,
        signal=row.signal,
        role=row.role or None,
        severity=Severity(row.severity),
        opening=row.opening,
        since=school.local(row.campus, moment(row.since_us)),
        at=school.local(row.campus, moment(row.created_us)),
        flapping=row.flapping,
        to=To(row.to_role),
    )
