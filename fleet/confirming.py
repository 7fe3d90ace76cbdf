"""What a clinician says of a session that is over: the minutes provided, kept beside the record and never over it."""

import json
import re
from typing import Final

from fleet.access.roles import Principal, Role
from fleet.errors import BadValue, Conflict, NotFound
from fleet.parts import FleetParts
from fleet.store import audit, confirmations, sessions
from fleet.store.confirmations import Confirmed
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
    fits(reason, note)
    if clinician is not None and who.role is not Role.PORTAL:
        raise BadValue("clinician", "leave it out: what you confirm stands under your own name")
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


def fits(reason: str | None, note: str | None = None) -> None:
    """Refuse a reason that is none, and a note that may name a student; raises `BadValue`."""
    if reason is not None and reason not in REASONS:
        raise BadValue("reason", f"one of: {', '.join(REASONS)}")
    if note is not None and _DISTRICT_ID.search(note):
        raise BadValue("note", "holds a number as long as a district id; name no student")


def _said(one: Confirmed) -> tuple[object, ...]:
    return one.provided_ms, one.reason, one.note, one.who, one.clinician
