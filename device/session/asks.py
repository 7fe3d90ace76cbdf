"""What the screen may ask of the session machine: (state, asked, now) -> (state, facts). Pure, as the machine is."""

from dataclasses import replace
from typing import Any

from device.errors import Refused
from device.session import calls, limits, whys, windows
from device.session import states as s
from device.session.clock import NS_PER_MS, Instant
from device.session.states import Fact, State

Told = tuple[State, Fact]


def asked(state: State, event: s.Asked, now: Instant) -> Told:
    """What an action on the screen makes of `state`, and the fact to write.

    Raises:
        Refused: it does not fit the state.
    """
    match event.name:
        case "absent":
            return _absent(state, event.value, now)
        case "extend" | "not-this-student" | "still-here":
            return _in_session(state, event, now)
        case _:
            return _said(state, event, now)


def _said(state: State, event: s.Asked, now: Instant) -> Told:
    match event.name:
        case "help":
            return calls.called(state, event.value, now)
        case "help-over":
            return calls.over(state, now)
        case "reason":
            return whys.given(state, event.value, now)
        case "skip-reason":
            return whys.skipped(state, now)
        case _:
            raise Refused(f"There is no action {event.name!r}.")


def _in_session(state: State, event: s.Asked, now: Instant) -> Told:
    session = state.session
    if session is None:
        raise Refused("No session is running.")
    if event.name == "extend":
        return _extend(state, session, event.value, now)
    if event.name == "not-this-student":
        return replace(state, wrong_student=session.id), _fact(state, now, "student.wrong", student=None)
    ends_ns = max(session.ends_ns, now.mono_ns + limits.STILL_HERE_NS)
    longer = replace(state, session=replace(session, ends_ns=ends_ns), paused_ns=now.mono_ns)
    return longer, _fact(state, now, "session.kept", by="screen")


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
    only = known[0] if len(known) == 1 else None
    if state.session is None and booking and only:
        state = whys.explained(state, booking)
    absent = {"student": student or only, "booking": booking.id if booking else None}
    return state, _fact(state, now, "student.absent", **absent)


def _fact(state: State, now: Instant, type_: str, **data: Any) -> Fact:
    return Fact(type_, data, state.session.id if state.session else None, now)
