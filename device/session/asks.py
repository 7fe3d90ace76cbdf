"""What the screen may ask of the session machine: (state, asked, now) -> (state, facts). Pure, as the machine is."""

from dataclasses import replace
from typing import Any

from device.errors import Refused
from device.session import limits, windows
from device.session import states as s
from device.session.clock import NS_PER_MS, Instant
from device.session.states import Fact, State

Told = tuple[State, Fact]


def asked(state: State, event: s.Asked, now: Instant) -> Told:
    """What an action on the screen makes of `state`, and the fact to write.

    Raises:
        Refused: it does not fit the state.
    """
    session = state.session
    match event.name:
        case "help":
            return state, _help(state, event.value, now)
        case "reason":
            return _give_reason(state, event.value, now)
        case "absent":
            return _absent(state, event.value, now)
        case "extend" if session:
            return _extend(state, session, event.value, now)
        case "not-this-student" if session:
            return replace(state, wrong_student=session.id), _fact(state, now, "student.wrong", student=None)
        case "still-here" if session:
            ends_ns = max(session.ends_ns, now.mono_ns + limits.STILL_HERE_NS)
            longer = replace(state, session=replace(session, ends_ns=ends_ns), paused_ns=now.mono_ns)
            return longer, _fact(state, now, "session.kept", by="screen")
        case "extend" | "not-this-student" | "still-here":
            raise Refused("No session is running.")
        case _:
            raise Refused(f"There is no action {event.name!r}.")


def _extend(state: State, session: s.Session, value: str, now: Instant) -> Told:
    if value not in {"5", "10", "15"}:
        raise Refused("A session can be extended by 5, 10 or 15 minutes.")
    by_ns = int(value) * limits.MINUTE_NS
    planned_end_ns = None if session.planned_end_ns is None else session.planned_end_ns + by_ns
    longer = replace(session, ends_ns=session.ends_ns + by_ns, planned_end_ns=planned_end_ns)
    return replace(state, session=longer), _fact(state, now, "session.extended", by_ms=by_ns // NS_PER_MS)


def _absent(state: State, student: str, now: Instant) -> Told:
    booking = state.session.booking if state.session else None
    booking = booking or windows.due(state.schedule, now, state.done)
    known = booking.students if booking else ()
    if student and student not in known:
        raise Refused("This booking has no such student.")
    return state, _fact(state, now, "student.absent", student=student or (known[0] if len(known) == 1 else None))


def _help(state: State, kind: str, now: Instant) -> Fact:
    if kind not in {"", "adult", "other"}:
        raise Refused("Help is called for as: adult, other.")
    return _fact(state, now, "help.called", kind=kind) if kind else _fact(state, now, "help.asked")


def _give_reason(state: State, reason: str, now: Instant) -> Told:
    if reason not in limits.REASONS:
        raise Refused(f"A reason is one of: {', '.join(limits.REASONS)}.")
    about = state.session or (state.last.session if state.last else None)
    return state, Fact("reason.given", {"reason": reason}, about.id if about else None, now)


def _fact(state: State, now: Instant, type_: str, **data: Any) -> Fact:
    return Fact(type_, data, state.session.id if state.session else None, now)
