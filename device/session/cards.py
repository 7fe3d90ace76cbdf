"""What picture cards on the desk mean for the session that runs: pure, and never a reason for anything but less.

A card confirms its student, says whose an unplanned session is, and stops recording when it is another booking's
(docs/adr/0014). It proves nobody's identity: whoever holds a picture of its marker holds the card. So it gives no
permission, starts nothing and ends nothing. Without a schedule, or without an entry in it, a card means nothing at all.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from device.session import windows
from device.session.clock import Instant
from device.session.states import CardsSaid, Fact, Phase, Session, State
from wire.cards import BY_CARD
from wire.schedule import Booking

_RUNNING: Final = frozenset({Phase.STARTING, Phase.LIVE, Phase.BUFFERING})


@dataclass(frozen=True, slots=True)
class Lying:
    """The cards on the desk that the schedule knows, each with its student, sorted by whose they are."""

    own: tuple[tuple[int, str], ...] = ()
    """Of this session's students; in an unplanned session everybody's."""
    others: tuple[tuple[int, str], ...] = ()
    """Of another booking's."""


def judged(state: State, now: Instant) -> tuple[State, tuple[Fact, ...]]:
    """What the cards that lie there make of `state`, and what is to be written; nothing is said twice."""
    session = state.session
    if session is None or state.phase not in _RUNNING:
        return state, ()
    before = said_of(state, session)
    lying = lying_in(state, session)
    facts, confirmed, made_up = [], before.confirmed, state.made_up
    for card, student in lying.own:
        if student not in dict(confirmed):
            booking = None if session.booking else makes_up(state, student, made_up, now)
            made_up |= {booking.id} if booking else set()
            confirmed = (*confirmed, (student, card))
            told = {"student": student, "by": BY_CARD, "card": card, "makes_up": booking.id if booking else None}
            facts.append(_fact("student.confirmed", session, now, told))
    fresh = [(card, student) for card, student in lying.others if card not in before.stopped_by]
    facts += [
        _fact("student.wrong", session, now, {"student": student, "by": BY_CARD, "card": card})
        for card, student in fresh
    ]
    # Gone is not enough: that another booking's child left is known by this one's card.
    goes_on = bool(lying.own) and not lying.others
    stopped_by = () if goes_on else (*before.stopped_by, *(card for card, _ in fresh))
    after = replace(before, confirmed=confirmed, stopped_by=stopped_by)
    return (state if after == before else replace(state, said=after, made_up=made_up)), tuple(facts)


def said_of(state: State, session: Session) -> CardsSaid:
    """What cards have said of `session` so far."""
    return state.said if state.said and state.said.session == session.id else CardsSaid(session.id)


def lying_in(state: State, session: Session) -> Lying:
    """The cards that lie there now, as `session` has to see them."""
    whose = state.schedule.cards if state.schedule else {}
    known = [(card, whose[card]) for card in state.cards if card in whose]
    if session.booking is None:
        return Lying(own=tuple(known))
    booked = session.booking
    bookings = state.schedule.bookings if state.schedule else ()
    booked = next((one for one in bookings if one.id == booked.id), booked)  # its students may have been corrected
    own = tuple(one for one in known if one[1] in booked.students)
    return Lying(own, tuple(one for one in known if one not in own))


def stops(state: State) -> bool:
    """Whether another booking's card keeps the running session from being recorded."""
    return state.session is not None and bool(said_of(state, state.session).stopped_by)


def makes_up(state: State, student: str, taken: frozenset[str], now: Instant) -> Booking | None:
    """The booking of today that an unplanned session with `student` may make up for: one that had no session.

    The one that should have been held last, else the next; `taken` are those another session makes up for already.
    Only this room's bookings are known here, so none is taken from a session that runs elsewhere.
    """
    missed = [one for one in windows.today(state, now) if student in one.students]
    missed = [one for one in missed if one.id not in state.done | taken]
    past = [one for one in missed if one.start <= now.wall]
    return max(past, key=_when, default=None) or min(missed, key=_when, default=None)


def other_booking(state: State, student: str, now: Instant) -> Booking | None:
    """Whose card it is, for people: the booking of `student` today that is open, else the next, else the last."""
    running = state.session.booking.id if state.session and state.session.booking else None
    found = [one for one in windows.today(state, now) if student in one.students and one.id != running]
    later = [one for one in found if now.wall < windows.planned_end(one)]  # an open one begins before all others
    return min(later, key=_when, default=None) or max(found, key=_when, default=None)


def _when(booking: Booking) -> Any:
    return booking.start, booking.id


def _fact(type_: str, session: Session, now: Instant, data: dict[str, Any]) -> Fact:
    return Fact(type_, data, session.id, now)
