"""The kiosk's journal of session facts, as both sides know it: the row, its chain, and every type with its model.

A row is kept and sent as its exact JSON text (`body`) with a hash over the previous hash and that text, so that nothing
is ever judged by a re-serialisation. Types are a closed set on the kiosk; the fleet stores a type it does not know.
"""

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, Field, NonNegativeInt, PositiveInt

from wire.calls import HelpAnswered, HelpCalled, HelpOver
from wire.codec import WireModel, compact, decode, validate
from wire.errors import BadPayload, BrokenChain
from wire.messages import WireRow
from wire.reasons import ReasonGiven, ReasonSkipped
from wire.stills import StillFact


class ClockTrust(StrEnum):
    """How far a row's wall time may be believed."""

    UNSET = "unset"
    """Before this software was built, never set since power-on, or not believed."""
    HELD = "held"
    """Plausible, carried over from an earlier synchronisation."""
    SYNCED = "synced"
    """A time source vouches for it: NTP, or the fleet."""


class Row(WireModel):
    """One fact. `mono_ns` counts within `boot` only; `at` is believed as far as `clock` says."""

    seq: PositiveInt
    type: Annotated[str, Field(min_length=3, max_length=40)]
    session: Annotated[str, Field(max_length=40)] | None = None
    at: AwareDatetime
    mono_ns: NonNegativeInt
    boot: Annotated[str, Field(min_length=1, max_length=40)]
    clock: ClockTrust
    data: dict[str, Any] = Field(default_factory=dict)


def body_of(row: Row) -> str:
    """The text to keep for `row`; from then on only the text counts."""
    return compact(row.model_dump(mode="json"))


def row_of(body: str) -> Row:
    """The row in a stored text.

    Raises:
        BadPayload: it is not a row.
    """
    return validate(Row, decode(body.encode()))


def chained(prev: str, body: str) -> str:
    """The hash of a row: SHA-256 over the previous row's hash (the epoch for row 1) and the row's text, in hex."""
    return hashlib.sha256(f"{prev}\n{body}".encode()).hexdigest()


def verified(prev: str, rows: Iterable[WireRow], first: int) -> list[Row]:
    """The rows of a batch that begins at seq `first`, after checking numbers and chain.

    Raises:
        BrokenChain: a hash or a number does not follow from the row before.
        BadPayload: a body is not a row.
    """
    found = []
    for seq, kept in enumerate(rows, first):
        if chained(prev, kept.body) != kept.hash:
            raise BrokenChain(f"row {seq}: its hash does not follow from the row before")
        row = row_of(kept.body)
        if row.seq != seq:
            raise BrokenChain(f"row {seq}: its text says {row.seq}")
        found.append(row)
        prev = kept.hash
    return found


def distinct(rows: Iterable[Row]) -> list[Row]:
    """The rows without copies: a forked ledger repeats facts under new numbers, and a fact counts once."""
    seen: dict[tuple[str, int, str, str | None, str], Row] = {}
    for row in rows:
        seen.setdefault((row.boot, row.mono_ns, row.type, row.session, compact(row.data)), row)
    return list(seen.values())


def checked(type_: str, data: dict[str, Any]) -> dict[str, Any]:
    """`data` as the model of `type_` keeps it, for a row about to be written.

    Raises:
        BadPayload: no such type, or a field that does not fit.
    """
    model = EVENTS.get(type_)
    if model is None:
        raise BadPayload(f"{type_!r} is no ledger type")
    return validate(model, data).model_dump(mode="json")


class Empty(WireModel):
    """A fact that needs no more words than its type."""


class Boot(WireModel):
    """The agent came up."""

    version: str


class PowerLost(WireModel):
    """After a boot that found a session open: the last instant known to be lived through, and why it stopped."""

    boot: str
    mono_ns: NonNegativeInt
    at: AwareDatetime
    clock: ClockTrust
    cause: str
    """`power`, or `unknown` when the machine ran on and only the agent was restarted."""


class ClockSet(WireModel):
    """The time gone by was stepped by `offset_ms`, or is known by something else; earlier rows are re-dated by it."""

    offset_ms: int
    trust: ClockTrust
    source: str | None = None
    """By what the time is known from here on: `ntp`, `fleet`, `carried` or `machine`."""
    refused: str | None = None
    """Why the machine's own clock is not believed though it says that it was set: `jumped`, `before-floor`,
    `far-ahead` or `contradicted`."""
    refused_ms: int | None = None
    """How far that clock is ahead of the time gone by."""


class StateChanged(WireModel):
    """The kiosk left one state and entered another."""

    before: str
    after: str


class SessionStarted(WireModel):
    """What was known when the button counted."""

    by: str
    booking: str | None = None
    therapist: str | None = None
    students: tuple[str, ...] = ()
    model: str | None = None
    planned_ms: PositiveInt | None = None
    planned_end_in_ms: int | None = None
    """From this row to the planned end, so that no clock step can move it."""
    needs: tuple[str, ...] = ("overhead", "front")
    giving: tuple[str, ...] = ()
    """The cameras that already gave pictures at the start."""
    missing: tuple[str, ...] = ()
    """The cameras already known to be missing at the start."""
    link_up: bool = False
    therapist_known: bool = False


class By(WireModel):
    """By what: `button`, `screen`, `fleet`, `kiosk`, `power`."""

    by: str


class SessionContinued(By):
    """A press soon after the end: the session goes on, with what is so now, for its rows tell nothing of meanwhile."""

    giving: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    link_up: bool = False


class SessionExtended(WireModel):
    """The planned end moved."""

    by_ms: PositiveInt


class SessionEnding(WireModel):
    """A hold was seen; it began at `held_mono_ns`, when the session will have ended if it is not undone."""

    held_mono_ns: NonNegativeInt


class SessionEnded(WireModel):
    """The session ended at `mono_ns` of `boot`, maybe before the row itself: a hold counts from its beginning."""

    by: str
    boot: str
    mono_ns: NonNegativeInt
    at: AwareDatetime


class Reason(WireModel):
    """A reason from the closed list of the machine that wrote it."""

    reason: str


class StartOverdue(WireModel):
    """A booking passed its start without a press."""

    booking: str


class CameraChange(WireModel):
    """What happened to one camera, and why."""

    role: str
    reason: str


class CamerasCommissioned(WireModel):
    """Somebody found the cameras good as they are, and the kiosk compares itself with that from here on."""

    by: str
    """In which role: `it`, `aide`, `therapist`."""
    px_per_mm: float | None = None
    """How fine the desk is seen, in the camera's own picture."""
    edge_mm: float | None = None
    """How wide a printed edge looks: the focus."""


class LinkChange(WireModel):
    """The fleet began or stopped to answer."""

    reason: str = ""


class Student(WireModel):
    """An opaque student reference, or null for the only one."""

    student: str | None = None


class StudentAbsent(Student):
    """A student is not there."""

    booking: str | None = None
    """For which, when no session runs."""


class StudentConfirmed(Student):
    """A student is there, as a card on the desk says: the booking's own, or whose the unplanned session is."""

    by: str | None = None
    """`card`, or null in rows of before there were cards."""
    card: NonNegativeInt | None = None
    """The number of its marker."""
    makes_up: str | None = None
    """The booking of today that had no session and that an unplanned one may make up for."""


class StudentWrong(Student):
    """Another student than planned: somebody said so (no card), or the card of another booking lies on the desk."""

    by: str | None = None
    """`card`, or null when a person said it; only then is what was recorded destroyed."""
    card: NonNegativeInt | None = None


class ButtonStuck(WireModel):
    """How long the contact has been closed."""

    held_ms: NonNegativeInt


class Segment(WireModel):
    """A sealed piece of recorded video; sealed and recovered ones are described whole, which is their manifest."""

    segment: str
    role: str
    ms: NonNegativeInt | None = None
    bytes: NonNegativeInt | None = None
    hash: str | None = None
    """BLAKE2b-256 over the file as it lies sealed, hex."""
    frames: NonNegativeInt | None = None
    started_at: AwareDatetime | None = None
    """When its first picture was taken, believed as far as `clock` says."""
    started_boot: str | None = None
    started_mono_ns: NonNegativeInt | None = None
    clock: ClockTrust | None = None
    lost_ms: NonNegativeInt | None = None
    """Recovered ones only: how much was recorded after what is kept, as far as anyone can know."""
    reason: str | None = None


class RecordingChanged(WireModel):
    """From here on the session's pictures are kept thus, and why: `nothing`, `pre-roll` (memory only) or `all`."""

    keep: str
    reason: str


class RecordingFailed(WireModel):
    """The disk refused a camera's pictures; it is tried again every two seconds."""

    role: str
    reason: str


class CameraRecovery(WireModel):
    """A rung of the recovery ladder that was taken: what was done, and what had gone wrong."""

    role: str
    rung: str
    """`reopen`, `kill`, `respawn`, `rebind`, `failed` or `reboot`."""
    cause: str
    """`silent` (no frames), `deaf` (no sign of life) or `died`."""
    reason: Annotated[str, Field(max_length=200)]


class CommandRun(WireModel):
    """A command of the fleet was carried out or failed."""

    id: str
    name: str
    ok: bool
    error: str | None = None


class Forked(WireModel):
    """This epoch continues `epoch`, whose rows from `seq` on the fleet holds differently; copies follow here."""

    epoch: str
    seq: PositiveInt


class LedgerDamaged(WireModel):
    """The ledger's file was damaged: it was set aside whole as `file`, and what could be read goes on in this epoch."""

    file: str
    reason: Annotated[str, Field(max_length=300)]
    epoch: str | None = None
    """The one that was going on in it."""
    rows: NonNegativeInt = 0
    """How many rows of it could be read and stand in this epoch too."""


EVENTS: Final[dict[str, type[WireModel]]] = {
    "boot": Boot,
    "power.lost": PowerLost,
    "clock.set": ClockSet,
    "state.changed": StateChanged,
    "session.started": SessionStarted,
    "session.paused": By,
    "session.resumed": By,
    "session.extended": SessionExtended,
    "session.kept": By,
    "session.ending": SessionEnding,
    "session.ended": SessionEnded,
    "session.continued": SessionContinued,
    "session.cancelled": Reason,
    "start.refused": Reason,
    "start.overdue": StartOverdue,
    "camera.opened": CameraChange,
    "camera.closed": CameraChange,
    "camera.lost": CameraChange,
    "camera.back": CameraChange,
    "camera.recovery": CameraRecovery,
    "cameras.commissioned": CamerasCommissioned,
    "cameras.exchanged": By,
    "link.down": LinkChange,
    "link.up": LinkChange,
    "therapist.joined": Empty,
    "therapist.left": Empty,
    "student.confirmed": StudentConfirmed,
    "student.absent": StudentAbsent,
    "student.wrong": StudentWrong,
    "reason.given": ReasonGiven,
    "reason.skipped": ReasonSkipped,
    "help.asked": Empty,
    "help.called": HelpCalled,
    "help.answered": HelpAnswered,
    "help.over": HelpOver,
    "button.stuck": ButtonStuck,
    "button.freed": Empty,
    "segment.sealed": Segment,
    "segment.recovered": Segment,
    "segment.destroyed": Segment,
    "segment.uploaded": Segment,
    "recording.changed": RecordingChanged,
    "recording.failed": RecordingFailed,
    "command.run": CommandRun,
    "still.taken": StillFact,
    "ledger.forked": Forked,
    "ledger.damaged": LedgerDamaged,
}
"""Every ledger type with its model; each has a golden sample in tests/wire/golden/."""
