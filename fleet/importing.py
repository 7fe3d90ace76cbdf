"""Imports as one action: read, looked up, kept whole or not at all; the same file again changes nothing."""

import hashlib
import uuid
from dataclasses import dataclass

from sqlalchemy import Connection

from fleet.access.roles import Principal
from fleet.bookings import Desk
from fleet.clock import Instant
from fleet.errors import BadValue
from fleet.imports import bookings_csv, calendar_file, mandates_csv
from fleet.roll import Roll
from fleet.store import audit, campuses
from fleet.store.campuses import Mandate
from fleet.store.engine import Database

CSV = "text/csv"
CALENDAR = "text/calendar"


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file."""

    rows: int
    added: int
    changed: int
    unchanged: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Importer:
    """Whose file it is, and where it goes.

    Args:
        database: the store.
        roll: the kiosks there are.
        principal: who brings it.
        zone_setting: the fleet's own time zone.
        campus: where names are looked up; null is all that the principal sees.
    """

    database: Database
    roll: Roll
    principal: Principal
    zone_setting: str | None = None
    campus: str | None = None

    def bookings(self, data: bytes, kind: str, now: Instant) -> Imported:
        """Import a list (`text/csv`) or a calendar (`text/calendar`) of bookings.

        Raises:
            BadRows: every value that does not fit; nothing was changed.
        """
        notes: tuple[str, ...] = ()
        if kind == CALENDAR:
            calendar = calendar_file.read(data, now.at)
            wishes, faults, notes = list(calendar.wishes), list(calendar.faults), calendar.notes
        else:
            wishes, faults = bookings_csv.read(data)
        with self.database.write() as connection:
            desk = self._desk(connection, now)
            desk.faults += faults  # what cannot be read is told together with what does not fit
            made = desk.book(wishes)
            if made.added or made.changed:
                counts = f"{len(made.added)} added, {len(made.changed)} changed, sha256 {_sha256(data)}"
                for campus in sorted({plan.campus for plan in (*made.added, *made.changed)}):
                    self._note(connection, now, "bookings.imported", counts, campus)
        return Imported(
            len(wishes), len(made.added), len(made.changed), len(made.unchanged), (*notes, *made.notes)
        )  # fmt: skip

    def mandates(self, data: bytes, now: Instant) -> Imported:
        """Import a list of mandates of the campus; raises `BadRows`, and `BadValue` when no campus is named."""
        if self.campus is None:
            raise BadValue("campus", "name the campus of these students")
        owed = mandates_csv.read(data)
        with self.database.write() as connection:
            held = {
                (one.student, one.per, one.from_day): one
                for one in campuses.mandates_of(connection, frozenset({self.campus}))
            }
            fresh: list[Mandate] = []
            changed: list[Mandate] = []
            for one in owed:
                was = held.get((one.student, one.per, one.from_day))
                if was is not None and (was.minutes, was.until_day) == (one.minutes, one.until_day):
                    continue
                (fresh if was is None else changed).append(
                    Mandate(
                        f"m-{uuid.uuid4().hex[:16]}", self.campus, one.student, one.minutes, one.per, one.from_day,
                        one.until_day,
                    )
                )  # fmt: skip
            campuses.put_mandates(connection, [*fresh, *changed], now.at)
            if fresh or changed:
                counts = f"{len(fresh)} added, {len(changed)} changed, sha256 {_sha256(data)}"
                self._note(connection, now, "mandates.imported", counts, self.campus)
        return Imported(len(owed), len(fresh), len(changed), len(owed) - len(fresh) - len(changed))

    def _note(self, connection: Connection, now: Instant, what: str, counts: str, campus: str) -> None:
        audit.note(connection, now.at, self.principal.name, what, None, counts, campus=campus)

    def _desk(self, connection: Connection, now: Instant) -> Desk:
        return Desk(connection, self.roll, self.principal, now.at, self.zone_setting, self.campus)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
