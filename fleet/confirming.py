"""What a clinician says of a session that is over, or was not held: kept beside the record and never over it."""

import json
import re
from dataclasses import replace
from typing import Final

from fleet.access.roles import Principal, Role
from fleet.errors import BadValue, Conflict, NotFound
from fleet.parts import FleetParts
from fleet.planning import Plan, State
from fleet.store import audit, bookings, confirmations, room_words, sessions
from fleet.store.confirmations import Confirmed
from fleet.store.room_words import Reason
from wire.reasons import REASONS

LONGEST_MS: Final = 24 * 3_600_000
_DISTRICT_ID: Final = re.compile(r"[0-9]{7,}")
_WAITING: Final = {
    "cancelled": "This session was cancelled and counts in no minutes.",
    "unknown": "The start of this session has not arrived yet. Confirm it when its record is here.",
}


def confirm(  # what is confirmed, and by whom
    fleet: FleetParts,
    who: Principal,
    session: str,
    provided_ms: int,
    *,
    reason: str | None = None,
    note: str | None = None,
    clinician: str | None = None,
) -> None:
    """Keep what was provided; the same said again by the same person is one confirmation.

    Args:
        fleet: the parts.
        who: confirms.
        session: its id.
        provided_ms: milliseconds provided, 0 to a day.
        reason: of `wire.reasons.REASONS`.
        note: for colleagues.
        clinician: for whom a portal confirms, an opaque reference.

    Raises:
        NotFound: there is none for this reader.
        Conflict: it has not ended, or counts in no minutes.
        BadValue: a value does not fit.
    """
    _fits(who, reason, note, clinician)
    now = fleet.clock.now().at
    with fleet.database.write() as connection:
        row = sessions.one(connection, session)
        if row is None or not who.sees(row.campus):
            raise NotFound("There is no such session here.")
        if row.state != "ended":
            raise Conflict(_WAITING.get(row.state, "This session has not ended yet. Confirm it when it is over."))
        new = Confirmed(session, provided_ms, reason, note, who.name, clinician, now)
        before = next(iter(confirmations.of(connection, session, 1)), None)
        if before is not None and _said(before) == _said(new):
            return
        confirmations.add(connection, new)
        told = {"provided_ms": provided_ms, "reason": reason, "clinician": clinician}
        told |= {"before_ms": before.provided_ms} if before else {}
        detail = json.dumps({name: value for name, value in told.items() if value is not None})
        audit.note(connection, now, who.name, "session.confirmed", session, detail, campus=row.campus)
    fleet.changes.tell({row.kiosk})


def explain(fleet: FleetParts, who: Principal, booking: str, reason: str, clinician: str | None = None) -> Plan:
    """Keep why a booking was not held, beside what its room said; the same said again is said once.

    Raises:
        NotFound: there is none for this reader.
        Conflict: it was cancelled, or a session was held for it.
        BadValue: it is no reason of the closed list.
    """
    _fits(who, reason, None, clinician)
    now = fleet.clock.now().at
    with fleet.database.write() as connection:
        plan = bookings.one(connection, booking)
        if plan is None or not who.sees(plan.campus):
            raise NotFound("There is no such booking here.")
        if plan.state is State.CANCELLED:
            raise Conflict("This booking was cancelled; nobody waits for it.")
        held = sessions.of_bookings(connection, [booking]).get(booking)
        if held is not None and held.state != "cancelled" and held.campus == plan.campus:
            raise Conflict(f"A session was held: give the reason with its confirmation, sessions/{held.id}/confirm.")
        new = Reason(booking, reason, who.name, clinician, now)
        before = next(iter(room_words.reasons_of(connection, [booking]).get(booking, ())), None)
        if before is None or replace(before, at=now) != new:
            room_words.add_reason(connection, new)
            audit.note(connection, now, who.name, "booking.explained", booking, reason, campus=plan.campus)
    return plan


def _fits(who: Principal, reason: str | None, note: str | None, clinician: str | None) -> None:
    if reason is not None and reason not in REASONS:
        raise BadValue("reason", f"one of: {', '.join(REASONS)}")
    if note is not None and _DISTRICT_ID.search(note):
        raise BadValue("note", "holds a number as long as a district id; name no student")
    if clinician is not None and who.role is not Role.PORTAL:
        raise BadValue("clinician", "leave it out: what you say stands under your own name")


def _said(one: Confirmed) -> tuple[object, ...]:
    return one.provided_ms, one.reason, one.note, one.who, one.clinician
