"""What a kiosk is told of its room: bookings, consents, cards, school days. All it needs to work without a network.

A kiosk of an older release ignores what it does not know, so nothing here may be startable only for those who do:
what was cancelled or settled is not among the bookings.
"""

from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BeforeValidator, Field, NonNegativeInt, PositiveInt, StringConstraints

from wire.cards import CardNumber, good_entries
from wire.codec import WireModel
from wire.ids import Id, StudentRef

SCHEDULE_DAYS: Final = 14
"""How far ahead a kiosk knows its bookings."""
OVERDUE_AFTER: Final = timedelta(minutes=3)
"""A start that passed so long ago without a press, or a press without a therapist, is told."""
GOAL_PATTERN: Final = r"[a-z]{1,4}-?[0-9]{1,4}(\.[0-9]{1,3})?"
"""An opaque code such as `g-12` or `fm3.1`: what it stands for is kept outside this product."""

ShortText = Annotated[str, Field(max_length=200)]
Model = Literal["pull-out", "push-in", "consult", "group"]
Role = Literal["overhead", "front"]


class Consent(WireModel):
    """That a student's picture may be recorded: from whom it is, nobody here needs to know."""

    student: StudentRef
    since: AwareDatetime | None = None
    """Null: since before anything was recorded. One given after another was taken back counts again from then on."""
    until: AwareDatetime | None = None
    """Null does not end by itself."""
    revoked_at: AwareDatetime | None = None
    """From then on nothing may be recorded."""


class Booking(WireModel):
    """A planned session as the kiosk is told of it."""

    id: Id
    start: AwareDatetime
    planned_ms: PositiveInt
    therapist: Id
    students: tuple[StudentRef, ...] = ()
    model: Model = "pull-out"
    needs: tuple[Role, ...] = ("overhead", "front")
    record: ShortText = "never"
    """`never`, `when-offline` or `always`; a word that a kiosk does not know means never to it."""
    consents: tuple[Consent, ...] = ()
    """Nothing is recorded unless every student of the booking has one in force."""
    point_person: ShortText | None = None
    """Who of the building is told first, if another than the room's: a reference or a role, no name."""
    link: Annotated[str, Field(max_length=500)] | None = None
    """Where the therapist joins by other means than this kiosk."""
    makes_up: ShortText | None = None
    """The missed booking for which this one stands."""
    goals: dict[StudentRef, tuple[ShortText, ...]] = Field(default_factory=dict)
    """Opaque codes of what is worked on, by student."""
    late_min: NonNegativeInt | None = None
    """By how many minutes the therapist said to come later."""


class Settled(WireModel):
    """A booking that will not be held, so that the kiosk can say so instead of waiting for it."""

    id: Id
    start: AwareDatetime
    planned_ms: PositiveInt
    reason: ShortText
    """`cancelled`, or the reason's word, such as `school-event`."""


class Bell(WireModel):
    """One period of a school day."""

    name: ShortText
    start: AwareDatetime
    end: AwareDatetime


class SchoolDay(WireModel):
    """A day with school, in instants, so that a kiosk needs no arithmetic of zones; other days are not listed."""

    date: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\z")]
    opens: AwareDatetime
    closes: AwareDatetime
    """At an early release, that."""
    label: ShortText | None = None
    """`A` or `B`, where the campus has such days."""
    bells: tuple[Bell, ...] = ()


class Schedule(WireModel):
    """The bookings of a kiosk's room for the 14 days after `as_of`, and those of the day before it."""

    revision: NonNegativeInt
    as_of: AwareDatetime
    bookings: tuple[Booking, ...] = ()
    cards: Annotated[dict[CardNumber, StudentRef], BeforeValidator(good_entries)] = Field(default_factory=dict)
    """Who holds which picture card, by the number of its marker. An entry that is none is left out, nothing else."""
    room: ShortText | None = None
    time_zone: ShortText | None = None
    """The campus's, by its IANA name."""
    days: tuple[SchoolDay, ...] | None = None
    """The school days of the 14; null where the campus has no calendar here."""
    office: ShortText | None = None
    """The extension of the school's office, to call an adult."""
    point_person: ShortText | None = None
    """Who of the building is told first: a reference or a role, no name."""
    settled: tuple[Settled, ...] = ()
    consents: tuple[Consent, ...] = ()
    """Consents taken back of students who had bookings in this room, whether or not they have one now."""
