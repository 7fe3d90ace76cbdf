"""How bookings are asked for, changed and told over HTTP."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from sqlalchemy import Connection

from fleet import wishes
from fleet.access.roles import Principal, Right
from fleet.bookings import Desk
from fleet.errors import BadRows, BadValue, RowFault
from fleet.places import name_of
from fleet.planning import Attending, Plan, State
from fleet.roll import Roll
from fleet.store import room_words
from fleet.store import rooms as rooms_store
from fleet.store.rooms import Room
from fleet.views import RoomWord, room_word
from fleet.wishes import Unfit, Wish
from wire.ids import Id

T = TypeVar("T")


class AttendingView(BaseModel):
    """One student of a booking, and what of it is theirs alone."""

    student: str
    goals: list[str]
    makes_up: str | None


class ReasonView(BaseModel):
    """Why a booking was not held, as a clinician says."""

    reason: str
    by: str
    clinician: str | None
    at: datetime


class BookingView(BaseModel):
    """A planned session."""

    id: str
    campus: str
    room: str = Field(description="The room's id; see `campuses/{campus}/rooms`")
    room_name: str
    kiosk: str | None = Field(description="The kiosk that stands in the room now")
    therapist: str
    start: datetime
    end: datetime
    minutes: int
    students: list[str] | None = Field(description="Opaque references; null for readers who may not know")
    attending: list[AttendingView] | None
    model: str
    record: str
    point_person: str | None
    link: str | None
    makes_up: str | None
    late_min: int | None
    state: State
    reason: str | None = Field(description="Of a booking that will not be held")
    room_said: list[RoomWord] = Field(description="Why, and who was absent, as the room says; oldest first")
    therapist_said: list[ReasonView] = Field(description="Why it was not held; the newest, which counts, first")


class NewBooking(BaseModel):
    """A session to be planned; the fields are those of the CSV import, and checked by the same rules."""

    model_config = ConfigDict(extra="forbid")

    kiosk: Annotated[str, Field(max_length=80, description="A kiosk's id, or a room's id or name")]
    therapist: str
    start: Annotated[str, Field(max_length=40, description="With an offset, or local at the campus")]
    minutes: Annotated[int, Field(ge=1, le=480)]
    student: str | None = None
    students: Annotated[list[str], Field(max_length=12)] = []
    model: str | None = None
    record: str | None = None
    point_person: str | None = None
    link: str | None = None
    goals: list[str] | str = []
    makes_up: str | None = None
    consent: bool | date | str | None = Field(None, description="True, or the last day of the consent on record")

    @model_validator(mode="before")
    @classmethod
    def _room_is_a_place_too(cls, told: Any) -> Any:
        if isinstance(told, dict) and "room" in told and "kiosk" not in told:
            return {**{name: value for name, value in told.items() if name != "room"}, "kiosk": told["room"]}
        return told

    @field_validator("start", mode="before")
    @classmethod
    def _texts(cls, told: Any) -> Any:
        return told.isoformat() if isinstance(told, datetime) else told

    def wish(self) -> Wish:
        """What is asked; raises `BadRows` naming every field that does not fit."""
        faults = []

        def read(name: str, reader: Callable[[str], T], text: str) -> T | None:
            try:
                return reader(text)
            except Unfit as error:
                faults.append(RowFault(str(error), None, name))
                return None

        students = " ".join([*([self.student] if self.student else []), *self.students])
        goals = self.goals if isinstance(self.goals, str) else " ".join(self.goals)
        told = {
            "place": read("kiosk", wishes.a_place, self.kiosk.strip()),
            "therapist": read("therapist", wishes.a_therapist, self.therapist.strip()),
            "students": read("student", wishes.students, students) or (),
            "start": read("start", wishes.start, self.start.strip()),
            "minutes": self.minutes,
            "model": read("model", wishes.model, self.model or ""),
            "record": read("record", wishes.record, self.record or ""),
            "point_person": read("point_person", wishes.a_point_person, self.point_person or ""),
            "link": read("link", wishes.a_link, self.link or ""),
            "goals": read("goals", wishes.goals, goals) or (),
            "makes_up": read("makes_up", wishes.a_booking, self.makes_up or ""),
            "consent": read("consent", wishes.consent, _consent_text(self.consent)),
        }
        if faults:
            raise BadRows(faults)
        return Wish(**told, columns={"place": "kiosk"})  # type: ignore[arg-type]  # each was read as what it is


class Change(BaseModel):
    """What is to be otherwise; what is not named stays, and null empties it."""

    model_config = ConfigDict(extra="forbid")

    kiosk: Annotated[str | None, Field(max_length=80)] = None
    therapist: str | None = None
    start: Annotated[str | None, Field(max_length=40)] = None
    minutes: Annotated[int | None, Field(ge=1, le=480)] = None
    students: Annotated[list[str] | None, Field(max_length=12)] = None
    model: str | None = None
    record: str | None = None
    point_person: str | None = None
    link: str | None = None
    makes_up: str | None = None
    late_min: Annotated[int | None, Field(ge=0, le=480, description="The therapist comes so much later")] = None
    reason: Annotated[str | None, Field(max_length=40, description="Settles it: it will not be held")] = None


class NewReason(BaseModel):
    """Why it was not held, of the closed list."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(max_length=40)]
    clinician: Annotated[Id | None, Field(description="For whom a portal says it; nobody else may")] = None


def changed(held: Plan, change: Change, at_desk: Desk) -> Plan:
    """The booking as it is to be; raises `BadRows`."""
    told: dict[str, Any] = {}
    faults = []
    for name in change.model_fields_set:
        value = getattr(change, name)
        try:
            told |= _READERS[name](str("" if value is None else value).strip(), value, held, at_desk)
        except Unfit as error:
            faults.append(RowFault(str(error), None, name))
    if faults:
        raise BadRows(faults)
    after = replace(held, **told)
    if after.model == "consult" and after.attending:
        raise BadValue("students", "a consult has no student")
    if after.model != "consult" and not after.attending:
        raise BadValue("students", "only a consult has none")
    return after


def views_of(connection: Connection, roll: Roll, plans: list[Plan], reader: Principal) -> list[BookingView]:
    """Bookings as this reader may know them."""
    held = {one.id: one for one in rooms_store.rooms_of(connection, reader.campuses)} if plans else {}
    may_know = reader.may(Right.READ_LEDGER)
    ids = [one.id for one in plans]
    said, why = room_words.of_bookings(connection, ids), room_words.reasons_of(connection, ids)
    return [
        BookingView(
            id=one.id,
            campus=one.campus,
            room=one.room,
            room_name=name_of(held[one.room], roll) if one.room in held else one.room,
            kiosk=held[one.room].kiosk if one.room in held else None,
            therapist=one.therapist,
            start=one.start,
            end=one.end,
            minutes=one.minutes,
            students=list(one.students) if may_know else None,
            attending=[
                AttendingView(student=a.student, goals=list(a.goals), makes_up=a.makes_up) for a in one.attending
            ]
            if may_know
            else None,
            model=one.model,
            record=one.record,
            point_person=one.point_person,
            link=one.link if may_know else None,
            makes_up=one.makes_up,
            late_min=one.late_min,
            state=one.state,
            reason=one.reason,
            room_said=[room_word(row, may_know=may_know) for row in said.get(one.id, ()) if row.campus == one.campus],
            therapist_said=[
                ReasonView(reason=told.reason, by=told.who, clinician=told.clinician, at=told.at)
                for told in why.get(one.id, ())
            ],
        )
        for one in plans
    ]


_READERS: Final[dict[str, Callable[[str, Any, Plan, Desk], dict[str, Any]]]] = {
    "kiosk": lambda text, _value, _held, at_desk: _of_room(at_desk.places.find(wishes.a_place(text))),
    "therapist": lambda text, *_: {"therapist": wishes.a_therapist(text)},
    "start": lambda text, _value, held, at_desk: {"start": at_desk.instant(wishes.start(text), held.campus)},
    "minutes": lambda text, *_: {"planned": timedelta(minutes=wishes.minutes(text))},
    "students": lambda _text, value, held, _desk: {"attending": _attending(value, held)},
    "makes_up": lambda text, _value, held, _desk: {
        "attending": tuple(replace(one, makes_up=wishes.a_booking(text)) for one in held.attending)
    },
    "model": lambda text, *_: {"model": _some(wishes.model(text))},
    "record": lambda text, *_: {"record": _some(wishes.record(text))},
    "point_person": lambda text, *_: {"point_person": wishes.a_point_person(text)},
    "link": lambda text, *_: {"link": wishes.a_link(text)},
    "late_min": lambda _text, value, *_: {"late_min": value},
    "reason": lambda text, *_: (
        {"state": State.SETTLED, "reason": text} if text else {"state": State.PLANNED, "reason": None}
    ),
}


def _of_room(room: Room) -> dict[str, Any]:
    return {"room": room.id, "campus": room.campus}


def _attending(value: list[str] | None, held: Plan) -> tuple[Attending, ...]:
    by_name = {one.student: one for one in held.attending}
    named = wishes.students(" ".join(value or []))
    return tuple(by_name.get(one, Attending(one)) for one in sorted(named))


def _some(read: str | None) -> str:
    if read is None:
        raise Unfit("cannot be empty")
    return read


def _consent_text(told: bool | date | str | None) -> str:  # noqa: FBT001  # one of the forms it may have
    if isinstance(told, bool):
        return "yes" if told else ""
    return told.isoformat() if isinstance(told, date) else (told or "")
