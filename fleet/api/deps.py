"""What routes ask for: the fleet's parts, who asks, and whether they may."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from fleet.access.roles import Principal, Right
from fleet.access.web import asker
from fleet.errors import NotAllowed, NotFound
from fleet.parts import FleetParts
from fleet.roll import Entry


def fleet(request: Request) -> FleetParts:
    """The parts of the fleet that answers this request."""
    parts: FleetParts = request.app.state.fleet
    return parts


def time_of(request: Request) -> datetime:
    """The fleet's time at this request, in aware UTC."""
    return fleet(request).clock.now().at


def allowed(right: Right) -> Callable[[Principal], Principal]:
    """A dependency that gives whoever asks, if their role has `right`."""

    def check(principal: Annotated[Principal, Depends(asker)]) -> Principal:
        if not principal.may(right):
            raise NotAllowed(f"The role {principal.role.value!r} does not include this.")
        return principal

    return check


Fleet = Annotated[FleetParts, Depends(fleet)]
Reader = Annotated[Principal, Depends(allowed(Right.READ))]
LedgerReader = Annotated[Principal, Depends(allowed(Right.READ_LEDGER))]
StillViewer = Annotated[Principal, Depends(allowed(Right.VIEW_STILLS))]
AuditReader = Annotated[Principal, Depends(allowed(Right.READ_AUDIT))]
Planner = Annotated[Principal, Depends(allowed(Right.PLAN))]
Answerer = Annotated[Principal, Depends(allowed(Right.ANSWER))]
Suppressor = Annotated[Principal, Depends(allowed(Right.SUPPRESS))]
RouteKeeper = Annotated[Principal, Depends(allowed(Right.NOTICE_ROUTES))]
Clinician = Annotated[Principal, Depends(allowed(Right.CONFIRM))]
Enroller = Annotated[Principal, Depends(allowed(Right.ENROL))]
Commander = Annotated[Principal, Depends(allowed(Right.COMMAND))]


def known_campus(principal: Principal, campus: str) -> None:
    """Refuse a campus that is not for this principal; raises `NotFound`."""
    if not principal.sees(campus):
        raise NotFound(f"There is no campus {campus!r} here.")


def known(parts: FleetParts, principal: Principal, kiosk: str) -> Entry:
    """What was last heard of a kiosk; raises `NotFound` when there is none for this principal."""
    entry = parts.entry(principal, kiosk)
    if entry is None:
        raise NotFound(f"There is no kiosk {kiosk!r} here.")
    return entry
