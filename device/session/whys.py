"""Why a session ended early or did not happen: when the room is asked, what it may answer. It may skip it. Pure."""

from dataclasses import replace
from typing import Final

from device.errors import Refused
from device.session import windows
from device.session.clock import NS_PER_S, Instant
from device.session.states import Fact, Phase, Session, State, Why
from wire import reasons
from wire.schedule import Booking

REASONS: Final = reasons.REASONS
"""What may be answered, in the order in which it stands on the page."""
_FORMER: Final = frozenset({"student-unwell"})
"""Taken from whoever still sends it."""
EARLY_NS: Final = 120 * NS_PER_S
"""A session that ends less than this before its planned end went as planned."""
ASKED_NS: Final = 3_600 * NS_PER_S
"""So long the room is asked; after that nobody there remembers."""


def after_end(state: State, session: Session, end: Instant, now: Instant) -> State:
    """What is asked once `session` has ended at `end`."""
    planned_ns = session.planned_end_ns
    lived_ns = end.mono_ns if end.boot == now.boot else now.mono_ns
    if planned_ns is None or planned_ns - lived_ns < EARLY_NS:
        return state
    return replace(state, why=Why("ended-early", session.id, session.booking, now.mono_ns))


def time_passes(state: State, now: Instant) -> State:
    """Ask about a booking whose window has closed with nobody there, and ask for an hour only."""
    why = state.why
    if why is not None and now.mono_ns - why.since_ns >= ASKED_NS:
        state = replace(state, why=None)
    if state.phase not in {Phase.IDLE, Phase.FAULT} or state.why is not None:
        return state
    for booking in windows.missed(state.schedule, now):
        if booking.id in state.overdue and booking.id not in state.done | state.made_up | _settled(state):
            return replace(state, why=Why("did-not-happen", None, booking, now.mono_ns))
    return state


def moments(state: State) -> list[int]:
    """When time alone will change what is asked."""
    return [state.why.since_ns + ASKED_NS] if state.why else []


def wanted(state: State, now: Instant) -> Why | None:
    """What the room is asked now, if anything: of what is over, else of a booking that nobody has started yet."""
    if state.session is not None or state.why is not None:
        return None if state.session is not None else state.why
    due = windows.due(state.schedule, now, state.done)
    if due is None or due.id not in state.overdue or due.id in _settled(state):
        return None
    return Why("not-started", None, due, now.mono_ns)


def given(state: State, reason: str, now: Instant) -> tuple[State, Fact]:
    """Somebody says why, asked or not; raises `Refused` at a reason that is none."""
    if reason not in REASONS and reason not in _FORMER:
        raise Refused(f"A reason is one of: {', '.join(REASONS)}.")
    why = wanted(state, now)
    if why is None:
        about = state.session or (state.last.session if state.last else None)
        booking = about.booking.id if about and about.booking else None
        data = {"reason": reason, "about": None, "booking": booking}
        return state, Fact("reason.given", data, about.id if about else None, now)
    data = {"reason": reason, "about": why.about, "booking": why.booking.id if why.booking else None}
    return explained(replace(state, why=None), why.booking), Fact("reason.given", data, why.session, now)


def skipped(state: State, now: Instant) -> tuple[State, Fact]:
    """Somebody does not say why; raises `Refused` when nothing was asked."""
    why = wanted(state, now)
    if why is None:
        raise Refused("Nothing was asked.")
    booking = why.booking.id if why.booking else None
    after = replace(state, why=None, skipped=state.skipped | ({booking} if booking else set()))
    return after, Fact("reason.skipped", {"about": why.about, "booking": booking}, why.session, now)


def explained(state: State, booking: Booking | None) -> State:
    """It is known why `booking` does not begin: nobody is asked or reminded any more."""
    return replace(state, explained=state.explained | {booking.id}) if booking else state


def _settled(state: State) -> frozenset[str]:
    return state.explained | state.skipped
