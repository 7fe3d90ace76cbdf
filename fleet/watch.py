"""Watches the roll: opens and resolves incidents, makes their notices, and adds up how long kiosks are ready.

One thread, in the process that answers readers. What it decides is pure (`incidents.py`, `notices.py`, `sights.py`);
here it is kept in one transaction together with the notices that follow from it, and counts only when that is
committed. What people do to incidents comes from the API's threads and takes turns with it.
"""

import logging
import threading
import uuid
from collections.abc import Callable, Collection, Iterable
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection

from fleet import notices as due_notices
from fleet import room_calls
from fleet.clock import Clock, Instant
from fleet.errors import StoreDown
from fleet.incident_book import Book, Page
from fleet.incidents import Fact, Incident, Key, Place, Sight, State, look, tried
from fleet.notices import Route
from fleet.own_signals import OWN, SILENT
from fleet.roll import Entry, Roll
from fleet.school import Diary
from fleet.sights import MOST_SIGNALS, Held, held, is_silent, sights, verdict_of
from fleet.store import incidents as store
from fleet.store import notices as outbox
from fleet.store import readiness_days
from fleet.store.engine import Database
from fleet.store.incidents import Call
from fleet.tally import Tally
from wire.signals import Severity

_log = logging.getLogger(__name__)

TICK_S: Final = 1.0
"""Without news, open incidents are looked at so often: a notice may be due by time alone."""
PACE_S: Final = 0.25
SWEEP_S: Final = 5.0
"""Every kiosk is looked at so often: silence is no news."""
AT_ONCE: Final = 50
"""Incidents in one transaction: a campus that falls silent must not keep the ingest from the store."""
KEEP_S: Final = 60.0
"""How old the store's copy of the health score and of evidence may be."""
TIDY_S: Final = 3_600.0
_RETRY_S: Final = 1.0
_SILENT_KEY: Final[Key] = (SILENT, None)
_LONG_AGO_S: Final = float("-inf")


class Watch:
    """Started once, in one process of a fleet."""

    def __init__(  # noqa: PLR0913  # what it watches, where it keeps, whom it tells
        self,
        database: Database,
        roll: Roll,
        clock: Clock,
        diary: Diary,
        *,
        keep: timedelta = timedelta(days=90),
        keep_record: timedelta = timedelta(days=7 * 366),
        listens: Callable[[], bool] = lambda: True,
        on_change: Callable[[Collection[str]], None] = lambda _kiosks: None,
        on_notice: Callable[[], None] = lambda: None,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        """Read what is kept.

        Args:
            database: keeps incidents and notices.
            roll: what is known of kiosks at the moment.
            clock: the time.
            diary: bells, zones, point persons and bookings.
            keep: how long an incident stays that touches no booking.
            keep_record: and one that does.
            listens: whether this service hears kiosks at all; while it does not, no silence is theirs.
            on_change: told of kiosks to whose incidents something happened, on any thread.
            on_notice: told that the outbox has something new.
            on_failure: told when the thread ends by a defect.

        Raises:
            StoreDown: nothing can be read.
        """
        self._database, self._roll, self._clock, self.diary = database, roll, clock, diary
        self._keep, self._keep_record, self._listens = keep, keep_record, listens
        self._on_change, self._on_notice, self._on_failure = on_change, on_notice, on_failure
        with database.read() as connection:
            self.book = Book(store.living(connection), outbox.told(connection))
            self._routes = outbox.routes(connection)
        self.lock = threading.RLock()
        self._telling = threading.Lock()
        self._tally = Tally()
        self._silence: dict[str, Held] = {}
        self._touched: set[str] = set()
        self._stale: set[str] = set()
        self._swept_s = self._kept_s = self._tidied_s = _LONG_AGO_S
        self._news, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="fleet.watch", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Keep what was added up and end; whether the thread ended in time."""
        self._stopping.set()
        self._news.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def tell(self, kiosks: Collection[str]) -> None:
        """These kiosks have news; from any thread."""
        with self._telling:
            self._touched.update(kiosks)
        self._news.set()

    def suppressed(self, kiosk: str, now: Instant) -> frozenset[Key]:
        """The signals of a kiosk that are out of its verdict now."""
        return self.book.suppressed(kiosk, now.at)

    def step(self) -> None:
        """Look once; raises `StoreDown`, and then nothing counts and all is looked at again."""
        with self.lock:
            now = self._clock.now()
            with self._telling:
                touched, self._touched = self._touched, set()
            sweeps = now.mono_s - self._swept_s >= SWEEP_S
            try:
                self._look(touched, now, sweeps=sweeps)
            except StoreDown:
                self.tell(touched)
                raise
            if sweeps:
                self._swept_s = now.mono_s
                self._add_up(now)
            if now.mono_s - self._kept_s >= KEEP_S:
                self._keep_tally(now)
            if now.mono_s - self._tidied_s >= TIDY_S:
                self._tidied_s = now.mono_s
                self.tidy(now)

    def write(self, page: Page, now: Instant, beside: Callable[[Connection], None] = lambda _connection: None) -> None:
        """Keep a page, and what belongs beside it, each incident in one transaction; the lock must be held.

        Raises:
            StoreDown: nothing of it was kept and nothing counts; of a page of hundreds, nothing of its rest.
        """
        for incident, events in list(page.saved.values()):
            if events or incident.id in self.book.owing:
                self._draft(incident, page, now)
        parts = page.parts(AT_ONCE)
        for part in parts:
            with self._database.write() as connection:
                for incident, events in part.saved.values():
                    store.save(connection, incident, events)
                for draft, incident in part.drafts:
                    outbox.put(connection, draft, incident, self._room(incident.kiosk), str(uuid.uuid4()), now.at)
                if part is parts[-1]:  # a call for help is taken when its incident is there
                    beside(connection)
            self.book.apply(part, now.at)
            self._stale -= part.saved.keys()
        if page.drafts:
            self._on_notice()
        if page.kiosks:
            self._on_change(page.kiosks)

    def routes_changed(self) -> None:
        """Read anew who is told."""
        with self.lock, self._database.read() as connection:
            self._routes = outbox.routes(connection)

    def place(self, kiosk: str, campus: str) -> Place:
        """Where a new incident of a kiosk belongs."""
        return Place(str(uuid.uuid4()), kiosk, campus)

    def tidy(self, now: Instant) -> None:
        """Drop what is older than it may be: 90 days, or as long as a session record for what touches a booking."""
        with self._database.write() as connection:
            for one in store.old(connection, now.at - self._keep, kept=False):
                assert one.resolved_at is not None
                if self.diary.touches_booking(connection, one.kiosk, one.opened_at, one.resolved_at):
                    store.keep(connection, one.id)
                else:
                    store.drop(connection, one.id)
            for one in store.old(connection, now.at - self._keep_record, kept=True):
                store.drop(connection, one.id)
            store.drop_calls(connection, now.at - self._keep)
            outbox.drop_closed(connection, now.at - self._keep)

    def _run(self) -> None:
        failing = False
        try:
            while not self._stopping.is_set():
                self._news.wait(TICK_S)
                self._news.clear()
                try:
                    self.step()
                except StoreDown as error:
                    _log.log(logging.DEBUG if failing else logging.ERROR, "no incident can be kept: %s", error)
                    failing = True
                    self._stopping.wait(_RETRY_S)
                else:
                    failing = False
                    self._stopping.wait(PACE_S)
            with self.lock:
                self._keep_tally(self._clock.now())
        except StoreDown as error:
            _log.warning("the last minute of the health score is lost: %s", error)
        except Exception:  # noqa: BLE001  # the loop's edge: a fleet must not go on without it as if all were well
            _log.exception("the watch ended by a defect")
            self._on_failure()

    def _look(self, touched: set[str], now: Instant, *, sweeps: bool) -> None:
        page = Page()
        for kiosk in touched | self.book.open_kiosks():
            if (entry := self._roll.get(kiosk)) is not None:
                self._look_at(entry, page, now)
        if self._listens():
            for entry in self._roll.entries() if sweeps else self._doubtful(touched):
                self._listen(entry, page, now)
        if sweeps:
            self._close_old(page, now)
        with self._database.read() as connection:
            calls = store.waiting_calls(connection)
            self._routes = outbox.routes(connection) if sweeps else self._routes
        self._answer(calls, page, now)
        self._draft_due(page, now)
        if calls or page.kiosks:
            self.write(page, now, lambda connection: store.took(connection, calls))
        elif page.saved:  # no more than fresher evidence, which may wait
            self.book.apply(page, now.at)
            self._stale |= page.saved.keys()

    def _doubtful(self, touched: set[str]) -> list[Entry]:
        """Kiosks that may have turned silent, or been heard again, since the last sweep."""
        wanted = touched | {kiosk for kiosk, was in self._silence.items() if was.is_true != was.counts or was.counts}
        return [entry for kiosk in wanted if (entry := self._roll.get(kiosk)) is not None]

    def _look_at(self, entry: Entry, page: Page, now: Instant) -> None:
        """Take in what the kiosk says of itself."""
        known = {key: one for key, one in self.book.of(entry.id).items() if key[0] not in OWN}
        is_open = [key for key, one in known.items() if one.state is State.OPEN]
        for key, seen in sights(entry, is_open, now).items():
            before = known.get(key)
            if before is None and len(known) >= 4 * MOST_SIGNALS:
                continue
            before = self._see(entry, before, key, seen, page, now)
            if before is not None and before.state is State.OPEN and (did := _remedy(entry, before)) is not None:
                after, events = tried(before, did, now.at)
                if events and after is not None:
                    page.put(after, events)

    def _listen(self, entry: Entry, page: Page, now: Instant) -> None:
        """Whether the kiosk is silent; its row's hold keeps a restart from being an incident."""
        row = OWN[SILENT]
        after = held(self._silence.get(entry.id), row, now.mono_s, is_true=is_silent(entry, now))
        self._silence[entry.id] = after
        before = self.book.of(entry.id).get(_SILENT_KEY)
        is_open = before is not None and before.state is State.OPEN
        if after.counts and not is_open:
            self._see(entry, before, _SILENT_KEY, Fact(row.severity, _silence_evidence(entry, now)), page, now)
        elif is_open and not after.counts and not after.is_true and entry.presence.heard_here:
            # After a start of this service nobody is silent yet, and nobody was heard either.
            self._see(entry, before, _SILENT_KEY, Sight.CLEAR, page, now)

    def _see(  # one look's own facts
        self, entry: Entry, before: Incident | None, key: Key, seen: Fact | Sight, page: Page, now: Instant
    ) -> Incident | None:
        if before is not None and before.state is State.RESOLVED and isinstance(seen, Fact):
            self._see_alone(before, Sight.UNKNOWN, page, now)
            before, _ = page.saved.get(before.id, (before, []))
            before = None if before.state is State.CLOSED else before
        after, events = look(before, key, seen, self.place(entry.id, entry.campus), now.at)
        if after is not None and (events or after != before):
            page.put(after, events)
        return after

    def _close_old(self, page: Page, now: Instant) -> None:
        """What has been over for a week is closed; what a person said and nobody resolved is over after a day."""
        for one in self.book.living():
            if one.id not in page.saved and (one.state is State.RESOLVED or one.reported):
                self._see_alone(one, Sight.CLEAR, page, now)

    def _see_alone(self, one: Incident, seen: Sight, page: Page, now: Instant) -> None:
        after, events = look(one, one.key, seen, self.place(one.kiosk, one.campus), now.at)
        if events and after is not None:
            page.put(after, events)

    def _answer(self, calls: Iterable[Call], page: Page, now: Instant) -> None:
        """What rooms say by their calls, with the rows in which it stands."""
        for call in calls:
            entry = self._roll.get(call.kiosk)
            if entry is None:
                continue
            written = {one.key: one for one, _ in page.saved.values() if one.kiosk == call.kiosk}
            here = {**self.book.of(call.kiosk), **written}
            if room_calls.is_over(call):
                if (over := room_calls.ended(call, here.values(), now.at)) is not None:
                    page.put(*over)
                continue
            key, late = room_calls.key_of(call), room_calls.is_late(call)
            before = here.get(key)
            if late and before is not None and before.state is State.OPEN:
                continue
            after = self._see(entry, before, key, room_calls.fact_of(call), page, now)
            if late and after is not None:
                page.put(*room_calls.arrived_late(after, now.at))

    def _draft_due(self, page: Page, now: Instant) -> None:
        """The notices that time alone made due."""
        for kiosk in self.book.open_kiosks():
            for one in self.book.of(kiosk).values():
                if one.state is State.OPEN and one.id not in page.saved:
                    self._draft(one, page, now)
        for id_ in list(self.book.owing):
            incident = self.book.find(id_)
            if incident is not None and incident.state is State.RESOLVED and id_ not in page.saved:
                self._draft(incident, page, now)
        self.book.settle_debts(self._routes)

    def _draft(self, incident: Incident, page: Page, now: Instant) -> None:
        told = self.book.told(incident.id)
        made = {draft.key for draft, _ in page.drafts}
        for draft in due_notices.due(incident, self._routes, told, self.diary, now.at):
            if draft.key not in made:
                page.drafts.append((draft, incident))

    def _add_up(self, now: Instant) -> None:
        verdicts = (
            (entry.id, entry.campus, verdict_of(entry, now, self.suppressed(entry.id, now)))
            for entry in self._roll.entries()
        )
        self._tally.add(verdicts, self.diary, now)

    def _keep_tally(self, now: Instant) -> None:
        self._kept_s = now.mono_s
        spent = self._tally.take()
        stale = [one for id_ in self._stale if (one := self.book.find(id_)) is not None]
        if not spent and not stale:
            return
        try:
            with self._database.write() as connection:
                readiness_days.add(connection, [one for one in spent if self._roll.get(one.kiosk) is not None])
                for incident in stale:
                    store.save(connection, incident, ())
        except StoreDown:
            self._tally.give_back(spent)
            raise
        self._stale.clear()

    def _room(self, kiosk: str) -> str | None:
        entry = self._roll.get(kiosk)
        return entry.readiness.room if entry is not None and entry.readiness is not None else None

    @property
    def routes(self) -> list[Route]:
        """Who is told."""
        return self._routes

    def fact(self, signal: str, who: str) -> Fact:
        """What somebody here says of a kiosk."""
        return Fact(OWN[signal].severity if signal in OWN else Severity.ATTENTION, {}, said_by=who)


def _silence_evidence(entry: Entry, now: Instant) -> dict[str, object]:
    heard = entry.presence.heard
    return {
        "last_heard_at": heard.at.isoformat(timespec="seconds") if heard else None,
        "presence": entry.presence.reach(now).value,
        "said_it_was": entry.readiness.state if entry.readiness else None,
    }


def _remedy(entry: Entry, incident: Incident) -> str | None:
    """What the kiosk last tried with that camera, by its vitals; None before it tried anything since this opening."""
    if incident.role is None or entry.health is None or entry.health_at is None:
        return None
    if entry.health_at.at < incident.turned_at:
        return None
    camera = entry.health.get("cameras", {}).get(incident.role)
    step = camera.get("last_step") if isinstance(camera, dict) else None
    if not isinstance(step, str):
        return None
    restarts = camera.get("restarts")
    return f"{step}, restarts in this boot: {restarts}"[:120]
