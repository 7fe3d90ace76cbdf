"""How long things may take in a session, and what follows from that: pure arithmetic for the session machine."""

import uuid
from datetime import timedelta
from typing import Any, Final

from device.session import calls, whys, windows
from device.session.clock import NS_PER_MS, NS_PER_S, Instant
from device.session.states import IN_SESSION, ROLES, LastSession, OpenSession, Phase, Session, State
from wire.ledger import ClockTrust
from wire.schedule import Booking

MINUTE_NS: Final = 60 * NS_PER_S

ASK_NS: Final = 10 * NS_PER_S
DEAF_AFTER_PICTURES_NS: Final = 5 * NS_PER_S
PICTURES_WAIT_NS: Final = 5 * NS_PER_S
"""With one camera giving pictures the session goes live after this; with none, after twice as long."""
RESUME_COUNTDOWN_NS: Final = 3 * NS_PER_S
POWER_COUNTDOWN_NS: Final = 5 * NS_PER_S
ENDING_NS: Final = 10 * NS_PER_S
CONTINUE_WITHIN_NS: Final = 2 * MINUTE_NS
BOOT_PRESS_NS: Final = 90 * NS_PER_S
OVERRUN_NS: Final = 10 * MINUTE_NS
UNPLANNED_NS: Final = 60 * MINUTE_NS
UNPLANNED_PAUSE_NS: Final = 15 * MINUTE_NS
STILL_HERE_NS: Final = 15 * MINUTE_NS
REFUSAL_SHOWN_NS: Final = 20 * NS_PER_S
PAUSES_WITHIN_NS: Final = 2 * MINUTE_NS
RESUME_WITHIN: Final = timedelta(minutes=10)


def new_session(booking: Booking | None, now: Instant) -> Session:
    """The session that a press at `now` starts; its id follows from boot and instant, so that no chance is needed."""
    end_in = windows.planned_end(booking) - now.wall if booking else None
    planned_end_ns = None if end_in is None else now.mono_ns + round(end_in.total_seconds() * NS_PER_S)
    return Session(
        id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{now.boot} {now.mono_ns}")),
        booking=booking,
        needs=frozenset(booking.needs if booking else ROLES),
        ends_ns=now.mono_ns + UNPLANNED_NS if planned_end_ns is None else planned_end_ns + OVERRUN_NS,
        planned_end_ns=planned_end_ns,
    )


def told_at_start(session: Session, state: State, now: Instant) -> dict[str, Any]:
    """What the row `session.started` says of `session`, but for who pressed."""
    booking, planned_end_ns = session.booking, session.planned_end_ns
    return {
        "booking": booking.id if booking else None,
        "therapist": booking.therapist if booking else None,
        "students": booking.students if booking else (),
        "model": booking.model if booking else None,
        "planned_ms": booking.planned_ms if booking else None,
        "planned_end_in_ms": None if planned_end_ns is None else (planned_end_ns - now.mono_ns) // NS_PER_MS,
        "needs": tuple(sorted(session.needs)),
        **seen(state),
    }


def seen(state: State) -> dict[str, Any]:
    """What a session is given to begin, or to go on, with: its rows know nothing of what was before."""
    return {
        "giving": tuple(role for role in ROLES if state.cameras[role].giving),
        "missing": tuple(role for role in ROLES if state.cameras[role].missing),
        "link_up": state.link_up,
    }


def goes_live_ns(state: State, session: Session) -> int:
    """When a starting session stops to wait for pictures, as things stand: longer would only lose minutes."""
    giving = [state.cameras[role].giving for role in session.needs]
    waits = 0 if all(giving) else 1 if any(giving) else 2
    return state.started_ns + waits * PICTURES_WAIT_NS


def moments(state: State, now: Instant) -> list[int]:
    """Every monotonic instant at which time alone will change `state`, as things stand."""
    found = [state.countdown_ns, state.asked_until_ns]
    if state.ending:
        found.append(state.ending.deadline_ns)
    if state.session and state.phase in IN_SESSION - {Phase.ENDING}:
        found.append(ends_ns(state, state.session))
    if state.session and state.phase is Phase.STARTING:
        found.append(goes_live_ns(state, state.session))
    if state.refused:
        found.append(state.refused.at_ns + REFUSAL_SHOWN_NS)
    if state.schedule:
        found.append(now.mono_ns + 10 * NS_PER_S)  # windows open by wall time, which may be stepped meanwhile
    found += [*calls.moments(state), *whys.moments(state)]
    return [moment for moment in found if moment is not None]


def continues(last: LastSession | None, due: Booking | None, now: Instant) -> bool:
    """Whether a press goes on with the session that ended last, rather than to start what is due, or nothing."""
    if last is None or not last.continuable or now.mono_ns - last.ended_ns > CONTINUE_WITHIN_NS:
        return False
    booked = last.session.booking
    return due is None or (booked is not None and now.wall < windows.planned_end(booked))


def refusal(state: State, needs: frozenset[str]) -> str | None:
    """Why a start is refused, if it is: every other trouble starts the session and says what is degraded."""
    if not state.storage_ok:
        return "storage"
    if state.switching:
        return "update"
    if needs and all(state.cameras[role].missing for role in needs):
        return "no-camera"
    return None


def ends_ns(state: State, session: Session) -> int:
    """When the session ends by itself: a paused one at its planned end, or after 15 minutes without one."""
    if state.phase is not Phase.PAUSED:
        return session.ends_ns
    if session.planned_end_ns is None:
        return min(session.ends_ns, state.paused_ns + UNPLANNED_PAUSE_NS)
    # A pause that began after the planned end is not cut short by it.
    return session.planned_end_ns if state.paused_ns < session.planned_end_ns else session.ends_ns


def resumable(found: OpenSession, now: Instant) -> bool:
    """Whether a session found open at boot goes on: away under 10 minutes, and its booking, if any, still runs."""
    gap = _gap(found, now)
    still_runs = found.planned_end is None or now.wall < found.planned_end
    return gap is not None and gap < RESUME_WITHIN and still_runs


def _gap(found: OpenSession, now: Instant) -> timedelta | None:
    """How long the kiosk was away; None when no clock can tell."""
    if found.last.boot == now.boot:
        return timedelta(microseconds=(now.mono_ns - found.last.mono_ns) / 1_000)
    if ClockTrust.UNSET in {found.last.trust, now.trust}:
        return None
    return max(timedelta(0), now.wall - found.last.wall)


def reopened(found: OpenSession, now: Instant) -> Session:
    """A session found open at boot, with its ends in this boot's monotonic nanoseconds."""
    ends_ns, planned_end_ns = _ends_after_boot(found, now)
    return Session(found.id, found.booking, found.needs, ends_ns, planned_end_ns)


def _ends_after_boot(found: OpenSession, now: Instant) -> tuple[int, int | None]:
    if found.planned_end is None:
        left_ns = UNPLANNED_NS - found.elapsed_ms * NS_PER_MS
        # Older than that it was extended, or somebody said that they were still there: it is not cut short at once.
        return now.mono_ns + (left_ns if left_ns > 0 else OVERRUN_NS), None
    planned_end_ns = now.mono_ns + round((found.planned_end - now.wall).total_seconds() * NS_PER_S)
    return planned_end_ns + OVERRUN_NS, planned_end_ns
