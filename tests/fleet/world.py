"""Kiosks that write real ledgers, and a fleet around a real database whose ingest the tests step by hand."""

import json
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from fleet.clock import Instant
from fleet.diary import StoredDiary
from fleet.errors import LinkDown
from fleet.inbox import Inbox
from fleet.incoming import Raw
from fleet.ingest import Ingest
from fleet.live import Changes
from fleet.metrics import Metrics
from fleet.parts import FleetParts
from fleet.roll import Entry, Roll
from fleet.school import SettledSchool
from fleet.settings import FleetSettings
from fleet.store import kiosks
from fleet.store.engine import Database
from fleet.store.migrate import migrate
from fleet.watch import Watch
from tests.fleet import databases
from wire.codec import encode
from wire.ledger import ClockTrust, Row, body_of, chained
from wire.messages import Echo, Health, LedgerBatch, Presence, PresenceState, Readiness, Reply, WireRow
from wire.signals import ActiveSignal, Verdict
from wire.topics import Channel, Topic

BEGAN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@dataclass
class HandClock:
    """A clock that a test sets."""

    mono_s: float = 1_000.0
    at: datetime = BEGAN
    step_s: float = 0.0
    """So much passes with each look at it, as on a slow machine."""

    def now(self) -> Instant:
        self.mono_s += self.step_s
        return Instant(self.mono_s, self.at)

    def pass_(self, seconds: float) -> None:
        self.mono_s += seconds
        self.at += timedelta(seconds=seconds)


@dataclass
class Kiosk:
    """A kiosk as seen from the wire: it writes rows, and says things."""

    id: str = "lincoln-12"
    campus: str = "lincoln"
    epoch: str = field(default_factory=lambda: str(uuid.uuid4()))
    boot: str = "boot-1"
    birth: int = 1
    mono_ns: int = 60_000_000_000
    at: datetime = BEGAN
    rows: list[WireRow] = field(default_factory=list)

    @property
    def head(self) -> int:
        return len(self.rows)

    def hash(self, seq: int) -> str:
        return self.rows[seq - 1].hash if seq else self.epoch

    def pass_(self, seconds: float) -> None:
        self.mono_ns += round(seconds * 1e9)
        self.at += timedelta(seconds=seconds)

    def write(self, type_: str, session: str | None = None, **data: Any) -> int:
        """Append a row; returns its number."""
        row = Row(
            seq=self.head + 1,
            type=type_,
            session=session,
            at=self.at,
            mono_ns=self.mono_ns,
            boot=self.boot,
            clock=ClockTrust.SYNCED,
            data=data,
        )
        body = body_of(row)
        self.rows.append(WireRow(body=body, hash=chained(self.hash(self.head), body)))
        self.pass_(1)
        return self.head

    def press(self) -> str:
        """Start a session; returns its id."""
        session = str(uuid.uuid4())
        self.write(
            "session.started", session, by="button", needs=["front"], giving=["front"], link_up=True, planned_ms=None
        )
        return session

    def end(self, session: str) -> None:
        self.write("session.ended", session, by="hold", boot=self.boot, mono_ns=self.mono_ns, at=self.at.isoformat())

    def whole_session(self) -> str:
        """A session of some minutes with a pause and a lost link in it."""
        session = self.press()
        self.pass_(60.0005)
        self.write("link.down", session, reason="test")
        self.pass_(20)
        self.write("session.paused", session, by="button")
        self.pass_(30)
        self.write("session.resumed", session, by="button")
        self.write("link.up", session)
        self.pass_(60)
        self.end(session)
        return session

    def cloned(self) -> "Kiosk":
        """The same card in a second machine."""
        return deepcopy(self)

    def batch(self, first: int = 1, last: int | None = None) -> LedgerBatch:
        rows = tuple(self.rows[first - 1 : last])
        return LedgerBatch(epoch=self.epoch, first=first, prev=self.hash(first - 1), rows=rows)

    def topic(self, channel: Channel) -> str:
        return str(Topic(self.campus, self.id, channel))

    def says(self, channel: Channel, message: BaseModel | bytes, *, retained: bool = False) -> Raw:
        payload = message if isinstance(message, bytes) else encode(message)
        return Raw(self.topic(channel), payload, retained=retained)

    def sends(self, first: int = 1, last: int | None = None) -> Raw:
        return self.says(Channel.LEDGER, self.batch(first, last))

    def asks(self, n: int = 1) -> Raw:
        return self.says(Channel.ECHO, Echo(sender="kiosk", n=n))

    def is_born(self, *, retained: bool = False) -> Raw:
        return self.says(Channel.PRESENCE, self._presence(PresenceState.ONLINE), retained=retained)

    def dies(self, birth: int | None = None, *, retained: bool = False) -> Raw:
        death = self._presence(PresenceState.OFFLINE)
        death = death if birth is None else death.model_copy(update={"birth": birth})
        return self.says(Channel.PRESENCE, death, retained=retained)

    def is_ready(
        self, verdict: Verdict = Verdict.READY, *signals: ActiveSignal, state: str = "idle", session: str | None = None
    ) -> Raw:
        readiness = Readiness(verdict=verdict, signals=signals, at=self.at, state=state, session=session)
        return self.says(Channel.READINESS, readiness)

    def is_healthy(self, **vitals: Any) -> Raw:
        return self.says(Channel.HEALTH, Health(at=self.at, **vitals))

    def replies(self, command: str, result: dict[str, Any]) -> Raw:
        return self.says(Channel.REPLY, Reply(id=command, ok=True, result=result))

    def _presence(self, state: PresenceState) -> Presence:
        return Presence(state=state, birth=self.birth, boot=self.boot, version="0.1.0", epoch=self.epoch)


@dataclass
class Post:
    """Keeps what the fleet sends; `down` makes it a broker that is lost."""

    sent: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    down: bool = False
    connections: int = 1

    @property
    def connected(self) -> bool:
        return not self.down

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None:
        if self.down:
            raise LinkDown("the test took the broker away")
        assert qos == (0 if topic.endswith("/echo") else 1)
        assert retain is topic.endswith("/schedule")
        self.sent.append((topic, json.loads(payload)))

    def to(self, kiosk: Kiosk, channel: Channel) -> list[dict[str, Any]]:
        return [message for topic, message in self.sent if topic == kiosk.topic(channel)]


@dataclass
class Fleet:
    """A fleet without threads: `take` is one step of its ingest."""

    parts: FleetParts
    inbox: Inbox
    ingest: Ingest
    post: Post
    clock: HandClock
    changed: list[set[str]]
    watch: Watch

    @property
    def database(self) -> Database:
        return self.parts.database

    def take(self, *raws: Raw) -> None:
        for raw in raws:
            self.inbox.put(raw)
        while True:
            self.ingest.step(0.0)
            if self.inbox.is_empty:
                return

    def look(self, *raws: Raw, after_s: float = 0.0) -> None:
        """Take in messages, let time pass, and look at the incidents."""
        self.take(*raws)
        self.clock.pass_(after_s)
        self.watch.step()

    def settle(self) -> None:
        """Let enough time pass for every pending save, answer and fold."""
        for _ in range(3):
            self.clock.pass_(2.5)
            self.ingest.step(0.0)

    def entry(self, kiosk: Kiosk) -> Entry:
        entry = self.parts.roll.get(kiosk.id)
        assert entry is not None
        return entry

    def acks(self, kiosk: Kiosk) -> list[dict[str, Any]]:
        return self.post.to(kiosk, Channel.LEDGER_ACK)

    def dropped(self, reason: str) -> float:
        value = self.parts.metrics.registry.get_sample_value("carrel_messages_dropped_total", {"reason": reason})
        assert value is not None
        return value

    def held(self, kiosk: Kiosk) -> list[tuple[int, str]]:
        """Number and hash of each row held of the kiosk's epoch."""
        return self._select(
            "select seq, hash from ledger_rows join ledger_epochs e on e.id = epoch_id "
            f"where kiosk = '{kiosk.id}' and epoch = '{kiosk.epoch}' order by seq"
        )

    def put_aside(self, kiosk: Kiosk) -> list[tuple[int, str]]:
        return self._select(
            "select seq, hash from ledger_forks join ledger_epochs e on e.id = epoch_id "
            f"where kiosk = '{kiosk.id}' order by seq"
        )

    def _select(self, query: str) -> list[tuple[int, str]]:
        with self.database.read() as connection:
            return [(row[0], row[1]) for row in connection.exec_driver_sql(query)]


@contextmanager
def running_fleet(folder: Path, clock: HandClock | None = None, **settings: Any) -> Iterator[Fleet]:
    """A fleet over the store in `folder`, as a process finds it when it starts."""
    clock = clock or HandClock()
    database = Database(databases.url_for(folder), busy_s=0.1)
    try:
        migrate(database)
        with database.read() as connection:
            roll = Roll(kiosks.load(connection, clock.now()))
        metrics, post, inbox = Metrics(roll, clock), Post(), Inbox()
        changed: list[set[str]] = []
        told = FleetSettings(**{"data_dir": folder, **settings})
        parts = FleetParts(told, database, roll, metrics, clock, Changes(), broker=post)

        def told_of(kiosks: Collection[str]) -> None:
            changed.append(set(kiosks))
            parts.tell(kiosks)

        ingest = parts.keeper = Ingest(
            inbox,
            database,
            roll,
            post,
            metrics,
            clock,
            stills=parts.stills,
            uploads=parts.uploads,
            on_change=told_of,
        )
        hours = told.school_hours
        parts.watch = Watch(
            database, roll, clock, StoredDiary(database, clock, SettledSchool(hours)), listens=lambda: post.connected
        )
        yield Fleet(parts, inbox, ingest, post, clock, changed, parts.watch)
    finally:
        database.close()
