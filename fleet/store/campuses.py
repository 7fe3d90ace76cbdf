"""What a campus's schedule rests on, in the store: its calendar, cards, closures and mandates."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from fleet.clock import micros, moment
from fleet.store.engine import insert
from fleet.store.schedule_tables import calendars, cards, closures, mandates
from wire.school_day import Calendar


@dataclass(frozen=True, slots=True)
class Closure:
    """A stretch of a day in which a campus has no school after all."""

    id: str
    campus: str
    since: datetime
    until: datetime
    reason: str
    created_by: str

    def covers(self, at: datetime) -> bool:
        """Whether there is no school at that instant because of it."""
        return self.since <= at < self.until


@dataclass(frozen=True, slots=True)
class Mandate:
    """Minutes that a student is owed in each week or month."""

    id: str
    campus: str
    student: str
    minutes: int
    per: str
    from_day: date
    until_day: date


def calendar(connection: Connection, campus: str) -> Calendar | None:
    """The campus's calendar, if it has one here."""
    return all_calendars(connection, [campus]).get(campus)


def all_calendars(connection: Connection, campuses: Iterable[str] | None = None) -> dict[str, Calendar]:
    """Calendars by campus, of these if given."""
    query = select(calendars)
    if campuses is not None:
        query = query.where(calendars.c.campus.in_(sorted(set(campuses))))
    return {row.campus: Calendar.model_validate_json(row.calendar) for row in connection.execute(query)}


def put_calendar(connection: Connection, campus: str, told: Calendar, at: datetime) -> bool:
    """Keep a campus's calendar; False when it was this already."""
    text = told.model_dump_json()
    held = connection.execute(select(calendars.c.calendar).where(calendars.c.campus == campus)).scalar_one_or_none()
    if held == text:
        return False
    values = {"calendar": text, "changed_us": micros(at)}
    adding = insert(connection, calendars).values(campus=campus, **values)
    connection.execute(adding.on_conflict_do_update(index_elements=["campus"], set_=values))
    return True


def cards_of(connection: Connection, campuses: Iterable[str]) -> dict[str, dict[int, str]]:
    """Who holds which card, by campus."""
    wanted = sorted(set(campuses))
    found: dict[str, dict[int, str]] = {campus: {} for campus in wanted}
    for row in connection.execute(select(cards).where(cards.c.campus.in_(wanted)).order_by(cards.c.number)):
        found[row.campus][row.number] = row.student
    return found


def put_cards(connection: Connection, campus: str, held: Mapping[int, str]) -> bool:
    """Let these be all the cards of a campus; False when they were already."""
    if cards_of(connection, [campus])[campus] == dict(held):
        return False
    connection.execute(delete(cards).where(cards.c.campus == campus))
    if held:
        rows = [{"campus": campus, "number": number, "student": student} for number, student in held.items()]
        connection.execute(cards.insert(), rows)
    return True


def add_closure(connection: Connection, closure: Closure, at: datetime) -> None:
    """Keep a closure."""
    connection.execute(
        closures.insert().values(
            id=closure.id,
            campus=closure.campus,
            from_us=micros(closure.since),
            to_us=micros(closure.until),
            reason=closure.reason,
            created_us=micros(at),
            created_by=closure.created_by,
        )
    )


def remove_closure(connection: Connection, closure: Closure) -> None:
    """Forget it, once no booking names it any more."""
    connection.execute(delete(closures).where(closures.c.id == closure.id))


def closures_of(
    connection: Connection, campuses: Iterable[str], since: datetime, until: datetime | None = None
) -> list[Closure]:
    """The closures of these campuses that reach past `since`, by their beginning."""
    query = select(closures).where(closures.c.campus.in_(sorted(set(campuses))), closures.c.to_us > micros(since))
    if until is not None:
        query = query.where(closures.c.from_us < micros(until))
    return [_closure(row) for row in connection.execute(query.order_by(closures.c.from_us, closures.c.id))]


def mandates_of(
    connection: Connection, campuses: frozenset[str] | None = None, student: str | None = None
) -> list[Mandate]:
    """Mandates, of these campuses and of this student if given."""
    query = select(mandates).order_by(mandates.c.campus, mandates.c.student, mandates.c.from_day)
    if campuses is not None:
        query = query.where(mandates.c.campus.in_(sorted(campuses)))
    if student is not None:
        query = query.where(mandates.c.student == student)
    return [_mandate(row) for row in connection.execute(query)]


def put_mandates(connection: Connection, told: Sequence[Mandate], at: datetime) -> None:
    """Keep mandates; one of the same student, unit and first day is changed."""
    if not told:
        return
    adding = insert(connection, mandates)
    changing = {name: adding.excluded[name] for name in ("minutes", "until_day")}
    keys = ["campus", "student", "per", "from_day"]
    rows = [
        {
            "id": one.id,
            "campus": one.campus,
            "student": one.student,
            "minutes": one.minutes,
            "per": one.per,
            "from_day": one.from_day.isoformat(),
            "until_day": one.until_day.isoformat(),
            "created_us": micros(at),
        }
        for one in told
    ]
    connection.execute(adding.on_conflict_do_update(index_elements=keys, set_=changing), rows)


def _closure(row: Row[Any]) -> Closure:
    return Closure(row.id, row.campus, moment(row.from_us), moment(row.to_us), row.reason, row.created_by)


def _mandate(row: Row[Any]) -> Mandate:
    first, last = date.fromisoformat(row.from_day), date.fromisoformat(row.until_day)
    return Mandate(row.id, row.campus, row.student, row.minutes, row.per, first, last)
