"""The parts of a running fleet, and what readers ask of them. What a principal may not see does not exist for them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypeAlias, TypeVar

from fleet.access.backoff import Backoff
from fleet.access.roles import Principal, Right
from fleet.attendance import TYPES, attended
from fleet.clock import Clock, Instant, SystemClock
from fleet.days import Days
from fleet.incidents import Key
from fleet.live import Changes
from fleet.metrics import Metrics
from fleet.roll import Entry, Roll
from fleet.segment_keys import SegmentKeys
from fleet.settings import FleetSettings
from fleet.stills import Stills
from fleet.store import campuses, confirmations, readiness_days, room_words, segments, stills
from fleet.store import sessions as store
from fleet.store.campuses import Closure
from fleet.store.engine import Database
from fleet.tally import score
from fleet.uploads import Uploads
from fleet.views import (
    DayScore,
    KioskView,
    SegmentView,
    SessionLine,
    SessionView,
    StillView,
    kiosk_view,
    room_word,
    segment_view,
    session_line,
    session_view,
    still_view,
)
from fleet.watch import Watch

Place: TypeAlias = tuple[int, str]
"""Of an item in a list that is sorted by a time in microseconds: that and its id."""
V = TypeVar("V")
SCORE_DAYS: Final = 14
"""So many days of health scores stand on a kiosk's page."""


class Broker(Protocol):
    """The way to the kiosks."""

    @property
    def connected(self) -> bool: ...

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None: ...


class Keeper(Protocol):
    """Whoever keeps what comes from kiosks."""

    @property
    def works(self) -> bool: ...


@dataclass(slots=True)
class FleetParts:
    """What the API and the console work with."""

    settings: FleetSettings
    database: Database
    roll: Roll
    metrics: Metrics
    clock: Clock = field(default_factory=SystemClock)
    changes: Changes = field(default_factory=Changes)
    backoff: Backoff = field(default_factory=Backoff)
    broker: Broker | None = None
    keeper: Keeper | None = None
    watch: Watch | None = None
    """Incidents, in the process that has them."""
    stills: Stills = field(init=False)
    """The worksheet stills."""
    uploads: Uploads = field(init=False)
    """The recordings that kiosks send."""
    days: Days = field(init=False)
    """Bookings with their forecasts."""

    def __post_init__(self) -> None:
        """Build what follows from the settings."""
        of = self.settings
        self.stills = Stills(SegmentKeys(of.segment_keys_dir), timedelta(days=of.keep_stills_days))
        self.uploads = Uploads.of(of)
        self.days = Days(self.database, self.roll, self._suppressed, of.time_zone)

    def tell(self, kiosks: Collection[str]) -> None:
        """These kiosks have news, for readers and for their incidents; from any thread."""
        self.changes.tell(kiosks)
        if self.watch is not None:
            self.watch.tell(kiosks)

    def subscribe(self) -> AsyncIterator[set[str]]:
        """Sets of ids of kiosks that changed, of all campuses, at most two a second, until the service stops."""
        return self.changes.subscribe()

    async def kiosks(self, principal: Principal) -> list[KioskView]:
        """Every kiosk that the principal may see, by campus and id."""
        return await asyncio.to_thread(self._kiosks, principal)

    async def kiosk(self, principal: Principal, kiosk: str) -> KioskView | None:
        """One kiosk; None when there is none for this principal."""
        return await asyncio.to_thread(self._kiosk, principal, kiosk)

    async def sessions(self, principal: Principal, kiosk: str | None = None, limit: int = 50) -> list[SessionLine]:
        """The newest sessions."""
        lines, _ = await self.sessions_page(principal, kiosk=kiosk, limit=limit)
        return lines

    async def sessions_page(
        self,
        principal: Principal,
        *,
        limit: int,
        kiosk: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        before: Place | None = None,
    ) -> tuple[list[SessionLine], Place | None]:
        """Sessions that began from `since` to before `until`, newest first, and the place after which more follow."""

        def read() -> tuple[list[SessionLine], Place | None]:
            with self.database.read() as connection:
                rows = store.newest(
                    connection,
                    limit=limit + 1,
                    campuses=principal.campuses,
                    kiosk=kiosk,
                    since=since,
                    until=until,
                    before=before,
                )
                provided = confirmations.provided_ms(connection, (row.id for row in rows))
            now = self.clock.now()
            more = (rows[limit - 1].order_us, rows[limit - 1].id) if len(rows) > limit else None
            return [session_line(row, now, provided.get(row.id)) for row in rows[:limit]], more

        return await asyncio.to_thread(read)

    async def session(self, principal: Principal, session: str) -> SessionView | None:
        """One session with its timeline, as of its last row; None when there is none for this principal."""

        def read() -> SessionView | None:
            with self.database.read() as connection:
                row = store.one(connection, session)
                if row is None or not principal.sees(row.campus):
                    return None
                facts = attended(store.bodies_of(connection, session, row.kiosk, TYPES))
                may_know = principal.may(Right.READ_LEDGER)
                said = confirmations.of(connection, session) if may_know else []
                provided = confirmations.provided_ms(connection, [session])
                told = room_words.of_session(connection, session, row.kiosk)
            words = tuple(room_word(one, may_know=may_know) for one in told)
            return session_view(row, self.clock.now(), facts, said, words, provided.get(session))

        return await asyncio.to_thread(read)

    async def stills_page(
        self, principal: Principal, session: str, *, limit: int = 50, before: Place | None = None
    ) -> tuple[list[StillView], Place | None] | None:
        """A session's worksheet stills, newest first, and the place after which more follow; None without a session."""
        return await asyncio.to_thread(
            self._of_session, principal, session, limit, before, stills.newest, "received_us", still_view
        )

    async def segments_page(
        self, principal: Principal, session: str, *, limit: int = 50, before: Place | None = None
    ) -> tuple[list[SegmentView], Place | None] | None:
        """A session's recordings, newest first, and the place after which more follow; None without a session."""
        return await asyncio.to_thread(
            self._of_session, principal, session, limit, before, segments.newest, "started_us", segment_view
        )

    async def closures(self, principal: Principal) -> list[Closure]:
        """Closures of the principal's campuses that begin within a day and are not over, by their beginning."""

        def read() -> list[Closure]:
            now = self.clock.now().at
            where = {entry.campus for entry in self.roll.entries() if principal.sees(entry.campus)}
            with self.database.read() as connection:
                return campuses.closures_of(connection, where, now, now + timedelta(days=1))

        return await asyncio.to_thread(read)

    async def still(self, principal: Principal, id_: str) -> StillView | None:
        """One still's figures; None when there is none for this principal."""

        def read() -> StillView | None:
            with self.database.read() as connection:
                row = stills.one(connection, id_)
            return None if row is None or not principal.sees(row.campus) else still_view(row)

        return await asyncio.to_thread(read)

    def entry(self, principal: Principal, kiosk: str) -> Entry | None:
        """What was last heard of a kiosk; None when there is none for this principal."""
        entry = self.roll.get(kiosk)
        return entry if entry is not None and principal.sees(entry.campus) else None

    def _of_session(
        self,
        principal: Principal,
        session: str,
        limit: int,
        before: Place | None,
        newest: Callable[..., list[Any]],
        time_column: str,
        view: Callable[[Any], V],
    ) -> tuple[list[V], Place | None] | None:
        with self.database.read() as connection:
            row = store.one(connection, session)
            if row is None or not principal.sees(row.campus):
                return None
            found = newest(connection, row.kiosk, session, limit + 1, before)
        more = (getattr(found[limit - 1], time_column), found[limit - 1].id) if len(found) > limit else None
        return [view(one) for one in found[:limit]], more

    def _kiosks(self, principal: Principal) -> list[KioskView]:
        with self.database.read() as connection:
            open_sessions = store.open_ones(connection, principal.campuses)
        now = self.clock.now()
        by_kiosk = {row.kiosk: row for row in open_sessions}  # the newest of each stands last
        by_id = {row.id: row for row in open_sessions}
        views = []
        for entry in self.roll.entries():
            if principal.sees(entry.campus):
                said = entry.readiness
                row = by_id.get(said.session or "") if said else by_kiosk.get(entry.id)
                line = session_line(row, now) if row is not None and row.kiosk == entry.id else None
                views.append(kiosk_view(entry, line, now, self._suppressed(entry.id, now)))
        return sorted(views, key=lambda view: (view.campus, view.id))

    def _kiosk(self, principal: Principal, kiosk: str) -> KioskView | None:
        entry = self.entry(principal, kiosk)
        if entry is None:
            return None
        with self.database.read() as connection:
            open_sessions = store.open_ones(connection, None, kiosk)
            days = readiness_days.of_kiosk(connection, kiosk, SCORE_DAYS)
        said = entry.readiness
        candidates = [row for row in open_sessions if said is None or row.id == said.session]
        now = self.clock.now()
        line = session_line(candidates[-1], now) if candidates else None
        scores = tuple(DayScore(day=row.day, score=score(row)) for row in days)
        view = kiosk_view(entry, line, now, self._suppressed(kiosk, now))
        return view.model_copy(update={"readiness_days": scores})

    def _suppressed(self, kiosk: str, now: Instant) -> frozenset[Key]:
        return self.watch.suppressed(kiosk, now) if self.watch is not None else frozenset()
