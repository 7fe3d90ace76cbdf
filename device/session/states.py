"""The words of the session machine: its phases, what it remembers, what can happen to it, and the facts it makes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from device.session.clock import Instant
from wire.calls import HelpAnswered as Answer
from wire.schedule import Booking, Schedule

ROLES: Final = ("overhead", "front")


class Phase(StrEnum):
    """What the kiosk is doing; entering and leaving each is a ledger row."""

    BOOTING = "booting"
    IDLE = "idle"
    STARTING = "starting"
    LIVE = "live"
    BUFFERING = "buffering"
    PAUSED = "paused"
    ENDING = "ending"
    FAULT = "fault"


IN_SESSION: Final = frozenset({Phase.STARTING, Phase.LIVE, Phase.BUFFERING, Phase.PAUSED, Phase.ENDING})


@dataclass(frozen=True, slots=True)
class Session:
    """The session that runs. Instants are monotonic nanoseconds of this boot."""

    id: str
    booking: Booking | None
    needs: frozenset[str]
    ends_ns: int
    """When it ends by itself."""
    planned_end_ns: int | None = None


@dataclass(frozen=True, slots=True)
class CameraFact:
    """What is known of one camera."""

    open: bool = False
    giving: bool = False
    missing: bool = False
    """Tried and failed; a camera nobody has opened yet is not missing."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A session on its way to its end, which a press still undoes."""

    held_ns: int
    deadline_ns: int
    was_paused: bool


@dataclass(frozen=True, slots=True)
class LastSession:
    """The session that ended last in this boot; a press soon after continues it."""

    session: Session
    ended_ns: int
    """When its end was written."""
    by: str
    continuable: bool = True
    """Whether it ended in this boot, and not long before that was written."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the last press started nothing."""

    reason: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class CardsSaid:
    """What picture cards on the desk have said of one session."""

    session: str
    confirmed: tuple[tuple[str, int], ...] = ()
    """The students whose card was seen, each with that card, in this order."""
    stopped_by: tuple[int, ...] = ()
    """The cards of another booking that stopped recording; empty when nothing is stopped by one."""


@dataclass(frozen=True, slots=True)
class HelpCall:
    """An adult was called, and is on the way or not."""

    call: str
    at_ns: int
    answered_by: str | None = None
    """In which role somebody answered."""
    answered_ns: int | None = None
    is_late: bool = False
    """Nobody has answered for a minute."""


@dataclass(frozen=True, slots=True)
class Why:
    """The room is asked why something was not as planned."""

    about: str
    """`ended-early`, `not-started` or `did-not-happen`."""
    session: str | None
    booking: Booking | None
    since_ns: int


@dataclass(frozen=True, slots=True)
class State:
    """Everything the machine remembers. Lamp, cameras and screen are derived from it, never stored twice."""

    phase: Phase = Phase.BOOTING
    session: Session | None = None
    link_up: bool = False
    cameras: Mapping[str, CameraFact] = field(default_factory=lambda: {role: CameraFact() for role in ROLES})
    schedule: Schedule | None = None
    storage_ok: bool = True
    switching: bool = False
    """An update changes the running release at this moment."""
    done: frozenset[str] = frozenset()
    """Bookings that had their session."""
    overdue: frozenset[str] = frozenset()
    boot_press: tuple[int, str] | None = None
    asked_until_ns: int | None = None
    """Until then a second press starts an unplanned session."""
    started_ns: int = 0
    """When the phase `starting` began."""
    deaf_until_ns: int = 0
    """Presses before this do nothing: the one that started the session is still in the air."""
    started_down_ns: int | None = None
    """When the button went down for the press that started or continued this session."""
    continued: bool = False
    paused_ns: int = 0
    paused_down_ns: int | None = None
    countdown_ns: int | None = None
    """When the announced countdown (resume, or resume after a power cut) runs out."""
    pauses: tuple[int, ...] = ()
    ending: Ending | None = None
    last: LastSession | None = None
    refused: Refusal | None = None
    stuck: bool = False
    wrong_student: str | None = None
    """The session of which somebody said that another student sits there: nothing of it may be recorded any more."""
    time_zone: str = "UTC"
    """Of the room: what "today" means here."""
    cards: tuple[int, ...] = ()
    """The picture cards that lie on the desk, as long as the overhead camera is open."""
    said: CardsSaid | None = None
    """Of the session that runs, or of the last one."""
    made_up: frozenset[str] = frozenset()
    """Bookings that an unplanned session makes up for."""
    slept_ns: int | None = None
    """How long the machine had been suspended in this boot when it was told last."""
    help_call: HelpCall | None = None
    why: Why | None = None
    """What is over and not explained."""
    explained: frozenset[str] = frozenset()
    """Bookings of which somebody said why nobody starts them."""
    skipped: frozenset[str] = frozenset()
    """Bookings about which nobody wanted to say anything."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A ledger row to be; it is durable before anything of the new state is shown."""

    type: str
    data: dict[str, Any]
    session: str | None
    at: Instant


# What can happen. `now` of an event is the instant passed to the machine beside it.


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that the ledger shows as open at boot, as of the last instant known to be lived through."""

    id: str
    booking: Booking | None
    needs: frozenset[str]
    last: Instant
    elapsed_ms: int
    planned_end: datetime | None
    paused: bool
    held: Instant | None = None
    """When the hold began, if it was ending."""
    wrong_student: bool = False
    said: CardsSaid | None = None


@dataclass(frozen=True, slots=True)
class Booted:
    """The agent can work: the ledger is open."""

    version: str
    open: OpenSession | None = None
    done: frozenset[str] = frozenset()
    overdue: frozenset[str] = frozenset()
    made_up: frozenset[str] = frozenset()
    explained: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Pressed:
    """A counted press; `down_ns` is when the pin went down."""

    by: str
    down_ns: int


@dataclass(frozen=True, slots=True)
class Held:
    """The button has been down for 2 s since `down_ns`."""

    by: str
    down_ns: int


@dataclass(frozen=True, slots=True)
class Stuck:
    """The button has been down for 10 s, or chatters without end."""

    down_ns: int
    held_ms: int


@dataclass(frozen=True, slots=True)
class Freed:
    """A stuck button was let go."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed; the machine named this moment by `wake_at`."""


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The fleet began or stopped to answer."""

    up: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CameraChanged:
    """A camera's device was opened or closed, or began or stopped to give pictures."""

    role: str
    fact: CameraFact
    reason: str


@dataclass(frozen=True, slots=True)
class CardsSeen:
    """These picture cards lie on the desk now; none, when nothing looks for them."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ScheduleSet:
    """The fleet sent a schedule."""

    schedule: Schedule


@dataclass(frozen=True, slots=True)
class StorageChanged:
    """The ledger can, or cannot, be written."""

    ok: bool


@dataclass(frozen=True, slots=True)
class UpdateChanged:
    """An update began or ended to switch releases."""

    switching: bool


@dataclass(frozen=True, slots=True)
class ClockStepped:
    """The time gone by jumped by `offset_ms`, or is known by something else; further fields as in the row."""

    offset_ms: int
    source: str | None = None
    refused: str | None = None
    refused_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """An action on the screen."""

    name: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class HelpAnswered:
    """Somebody outside answers the room's call."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Noted:
    """A fact that moves nothing: it goes into the ledger, and that is all.

    With `only_in_session` it is of no interest while no session runs.
    """

    type: str
    data: dict[str, Any]
    session: str | None = None
    only_in_session: bool = False


Event = (
    Booted
    | Pressed
    | Held
    | Stuck
    | Freed
    | Tick
    | LinkChanged
    | CameraChanged
    | CardsSeen
    | ScheduleSet
    | StorageChanged
    | UpdateChanged
    | ClockStepped
    | Asked
    | HelpAnswered
    | Noted
)
