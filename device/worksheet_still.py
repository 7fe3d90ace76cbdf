"""A worksheet still for the fleet: made in a running session, sealed in memory, and sent only if it still may be.

Nothing of it touches the disk but a ledger row with its figures.
"""

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol

from nacl.public import PublicKey, SealedBox

from device.cameras.boundary import View
from device.cameras.crypt import fleet_key
from device.cameras.process import Still
from device.errors import CommandRefused, KioskError
from device.readiness import Judgement
from device.session import states as s
from device.session.clock import Clock, Instant
from device.session.consent import still_refusal
from wire import stills
from wire.segments import key_id

_ROLE: Final = "overhead"
_WORDS: Final = {
    "no-session": "No session runs on this kiosk.",
    "paused": "The session is paused: the cameras are closed.",
    "unplanned": "This session belongs to no booking of the schedule, so nobody's consent is known.",
    "push-in": "In a push-in session other students are in the room, whose consent is not known.",
    "no-consent": "Not every student of this booking has a consent to pictures in force.",
    "schedule-old": "The kiosk's schedule is too old for it to know whether consent is still given.",
    "not-this-student": "Somebody said that another student sits at this desk.",
    "other-card": "Another booking's card was on the desk, and this session's own has not been shown since.",
}


class Kiosk(Protocol):
    """The kiosk, as far as a still needs it."""

    @property
    def clock(self) -> Clock: ...

    @property
    def judgement(self) -> Judgement: ...

    @property
    def foreseen(self) -> s.State:
        """The state, with what is forbidden already."""

    async def still(self, role: str, view: View, max_bytes: int) -> Still:
        """A fresh JPEG; raises `KioskError` with words when there is none."""


@dataclass(frozen=True, slots=True)
class SealedStill:
    """A still that is ready to be sent."""

    result: dict[str, Any]
    """As `wire.stills.StillReply` has it."""
    fact: s.Fact
    """Its ledger row, to be durable before it is sent."""
    require: Callable[[], None]
    """Raises `CommandRefused` when it may not be sent any more; to be asked in the very moment of sending."""


async def sealed_still(kiosk: Kiosk, key: str, command: str, args: Mapping[str, Any]) -> SealedStill:
    """Make the still that the fleet asks for.

    Args:
        kiosk: whose overhead camera it is.
        key: the fleet's public key, as the settings have it.
        command: the request's id.
        args: what was asked for.

    Raises:
        CommandRefused: it may not or cannot be made; the reason is one of the contract's words.
    """
    if (words := stills.unfit(args)) is not None:
        raise CommandRefused("bad-args", words)
    session = _permitted(kiosk)
    if not key:
        raise CommandRefused("no-key", "This kiosk has no fleet key: no picture leaves it that is not sealed.")

    def require() -> None:
        _require_roles(kiosk)
        if _permitted(kiosk) != session:
            raise CommandRefused("no-session", "The session for which this was asked is over.")

    _require_roles(kiosk)
    try:
        still = await kiosk.still(_ROLE, View.WORKSHEET, stills.MAX_JPEG_BYTES)
    except KioskError as error:
        require()  # a pause that closed the camera is the better reason
        raise CommandRefused("no-picture", str(error)) from error
    if not still.origin:
        raise CommandRefused("no-picture", "The camera's worker knows no mat, so it cannot tell what is the worksheet.")
    require()
    now = kiosk.clock.now()
    figures = stills.StillFigures(
        role=_ROLE,
        view=View.WORKSHEET.value,
        origin=still.origin,
        px_per_mm=still.px_per_mm,
        width_px=still.width_px,
        height_px=still.height_px,
        bytes=len(still.jpeg),
        hash=stills.hash_of(still.jpeg),
        sharp=None if still.px_per_mm is None else stills.sharp_enough(still.px_per_mm),
    )
    public = fleet_key(key)
    reply = stills.StillReply(
        **figures.model_dump(),
        session=session,
        captured_at=now.wall - timedelta(microseconds=(time.monotonic_ns() - still.captured_ns) // 1000),
        key_id=key_id(public),
        sealed=base64.b64encode(SealedBox(PublicKey(public)).encrypt(still.jpeg)).decode(),
    )
    return SealedStill(reply.model_dump(mode="json"), _fact(figures, command, session, now), require)


def _permitted(kiosk: Kiosk) -> str:
    """The session of which a still may be made now; raises `CommandRefused` when there is none."""
    state = kiosk.foreseen
    reason = still_refusal(state, kiosk.clock.now())
    if reason is not None or state.session is None:
        raise CommandRefused(reason or "no-session", _WORDS[reason or "no-session"])
    return state.session.id


def _require_roles(kiosk: Kiosk) -> None:
    """Refuse while the cameras are exchanged: what is called the overhead one then sees a child's face."""
    if kiosk.judgement.names("camera.swapped"):
        raise CommandRefused("no-picture", "The two cameras are exchanged; IT puts that right with one press.")


def _fact(figures: stills.StillFigures, command: str, session: str, now: Instant) -> s.Fact:
    return s.Fact("still.taken", {"command": command, **figures.model_dump(mode="json")}, session, now)
