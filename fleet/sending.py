"""Sends kiosks their schedules, retained: at each change within a second, every hour, and all anew on a new connection.

What is due is asked of the database twice a second, so that a change made by another process is sent as well, and
nothing is lost with this one. Brokers hold nothing that matters: after a reconnection every schedule is sent again.
"""

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError

from fleet import schedule, telling
from fleet.clock import Clock
from fleet.errors import LinkDown, StoreDown
from fleet.store import rooms
from fleet.store.engine import Database
from wire.topics import Channel, Topic

_log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 0.5
AGAIN_S: Final = 3_600.0
AT_ONCE: Final = 200
"""So many are read and sent in one go; between them changes come first."""
PACE_S: Final = 0.05


class Sender(Protocol):
    """Where schedules go; raises `LinkDown` when they cannot."""

    @property
    def connected(self) -> bool: ...

    @property
    def connections(self) -> int: ...

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None: ...


@dataclass(slots=True)
class _Sent:
    revision: int
    at_s: float


class Schedules:
    """One thread, which asks and sends."""

    def __init__(self, database: Database, sender: Sender, clock: Clock, zone_setting: str | None = None) -> None:
        """Say where schedules come from and where they go; nothing is sent before `start`."""
        self._database, self._sender, self._clock, self._zone = database, sender, clock, zone_setting
        self._sent: dict[str, _Sent] = {}
        self._connections = 0
        self._mark: tuple[int, int] | None = None
        """Of the schedules when none of them was due; None while some may be."""
        self._again_s = float("-inf")
        """When the first of them will be due by time alone."""
        self._failing = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fleet.schedules", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """End; whether the thread ended in time."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def step(self) -> int:
        """Send what is due now, at most `AT_ONCE`; how many were sent."""
        if self._connections != (connections := self._sender.connections):
            self._connections = connections
            self._sent.clear()  # the broker may be another, or the same without memory
            self._mark = None
        if not self._sender.connected:
            return 0
        with self._database.read() as connection:
            now, mark = self._clock.now(), rooms.mark(connection)
            if mark == self._mark and now.mono_s < self._again_s:
                return 0
            self._mark = None
            due = self._due(rooms.revisions(connection), now.mono_s)
            if not due:
                self._mark = mark
                self._again_s = min((one.at_s for one in self._sent.values()), default=now.mono_s) + AGAIN_S
                return 0
            found = telling.facts_of(connection, [(row.kiosk, row.campus) for row in due], now.at, self._zone)
        count = 0
        for row, facts in zip(due, found, strict=True):
            self._sent[row.kiosk] = _Sent(row.revision, now.mono_s)
            try:
                payload = schedule.fitting(schedule.told(facts, row.revision, now.at))
            except ValueError:  # a defect in one room's bookings must not keep the others from theirs
                _log.exception("the schedule of %s cannot be made; it keeps the one it has", row.kiosk)
                continue
            self._sent.pop(row.kiosk)  # until the broker has it
            self._sender.publish(str(Topic(row.campus, row.kiosk, Channel.SCHEDULE)), payload, qos=1, retain=True)
            self._sent[row.kiosk] = _Sent(row.revision, now.mono_s)
            count += 1
        return count

    def _due(self, rows: Iterable[Row[Any]], now_s: float) -> list[Row[Any]]:
        """Changed ones first, then those that were sent longest ago, if that is an hour."""
        changed, old = [], []
        for row in rows:
            sent = self._sent.get(row.kiosk)
            if sent is None or sent.revision != row.revision:
                changed.append((sent is None, row))
            elif now_s - sent.at_s >= AGAIN_S:
                old.append(row)
        # What changed is news, what was not sent yet may be known there; by campus, as it is read.
        changed.sort(key=lambda pair: (pair[0], pair[1].campus))
        return [row for _, row in changed][:AT_ONCE] or old[:AT_ONCE]

    def _run(self) -> None:
        while not self._stopping.is_set():
            sent = 0
            try:
                sent = self.step()
            except (LinkDown, StoreDown) as error:
                _log.log(logging.DEBUG if self._failing else logging.WARNING, "schedules wait: %s", error)
                self._failing = True
            except (SQLAlchemyError, ValueError, OverflowError):
                _log.exception("schedules cannot be made")  # a defect; the rest of the fleet goes on
            else:
                if self._failing and sent:
                    _log.info("schedules are sent again")
                    self._failing = False
            self._stopping.wait(PACE_S if sent else LOOK_EVERY_S)
