"""Where a kiosk stands, and the word, shape and colour that always tell it together. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fleet.sights import VERDICT_LIMIT_S
from fleet.views import KioskView, SignalView
from wire.signals import Verdict


class Standing(StrEnum):
    """What a kiosk is to someone who has to work with it; `fleet/console/board.py` says who stands first."""

    LIVE = "live"
    BUFFERING = "buffering"
    PAUSED = "paused"
    BLOCKED = "blocked"
    ATTENTION = "attention"
    UNKNOWN = "unknown"
    OFFLINE = "offline"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Badge:
    """A word, a shape and a colour, which always stand together."""

    word: str
    shape: str
    """The id of a symbol in `templates/_sprite.html`."""
    tone: str
    """A colour class of `static/tokens.css`."""


BADGES: Final = {
    Standing.LIVE: Badge("In session", "rec", "live"),
    Standing.BUFFERING: Badge("In session, no network", "box", "live"),
    Standing.PAUSED: Badge("Paused", "pause", "paused"),
    Standing.BLOCKED: Badge("Cannot run a session", "stop", "blocked"),
    Standing.ATTENTION: Badge("Needs a hand", "warn", "attention"),
    Standing.UNKNOWN: Badge("Not heard from", "ask", "unknown"),
    Standing.OFFLINE: Badge("Offline", "off", "unknown"),
    Standing.READY: Badge("Ready", "ok", "ready"),
}
"""How each standing is shown."""

COUNTED: Final = {
    Standing.LIVE: ("in session", "in session"),
    Standing.BUFFERING: ("without network", "without network"),
    Standing.PAUSED: ("paused", "paused"),
    Standing.BLOCKED: ("cannot run", "cannot run"),
    Standing.ATTENTION: ("needs a hand", "need a hand"),
    Standing.UNKNOWN: ("not heard from", "not heard from"),
    Standing.OFFLINE: ("offline", "offline"),
    Standing.READY: ("ready", "ready"),
}
"""The words after a count: for one kiosk, for several."""

IN_SESSION: Final = frozenset({Standing.LIVE, Standing.BUFFERING, Standing.PAUSED})
"""The standings of a kiosk on which a session runs."""

GOING_ON: Final = frozenset({"running", "paused", "interrupted"})
"""The states of a session that has not ended."""


def standing(kiosk: KioskView) -> Standing:
    """Where `kiosk` stands: silence comes before everything, a running session before the verdict."""
    if kiosk.presence.state != "online":
        return Standing.OFFLINE if kiosk.presence.state == "offline" else Standing.UNKNOWN
    in_session = _in_session(kiosk)
    if in_session is not None:
        return in_session if _is_news(kiosk) else Standing.UNKNOWN
    if both_cameras_missing(kiosk.signals):
        return Standing.BLOCKED
    return _STANDINGS[kiosk.verdict]


def was_in_session(kiosk: KioskView) -> bool:
    """Whether a session ran when the kiosk was last heard."""
    return _in_session(kiosk) is not None


def both_cameras_missing(signals: Iterable[SignalView]) -> bool:
    """Whether a kiosk sees nothing at all, which is worse than each camera's own signal."""
    return {one.role for one in signals if one.id == "camera.missing" and not one.suppressed} >= {"overhead", "front"}


def _is_news(kiosk: KioskView) -> bool:
    """Whether what the kiosk last said it was doing may still be believed; without a word of it the ledger counts."""
    return kiosk.state is None or (kiosk.state_age_s is not None and kiosk.state_age_s <= VERDICT_LIMIT_S)


def _in_session(kiosk: KioskView) -> Standing | None:
    if kiosk.state in _SESSION_STATES:
        return _SESSION_STATES[kiosk.state]
    if kiosk.state is not None or kiosk.session is None:  # the kiosk's own word is newer than its ledger's last row
        return None
    return {"running": Standing.LIVE, "interrupted": Standing.LIVE, "paused": Standing.PAUSED}.get(kiosk.session.state)


_SESSION_STATES: Final = {
    "starting": Standing.LIVE,
    "live": Standing.LIVE,
    "ending": Standing.LIVE,
    "buffering": Standing.BUFFERING,
    "paused": Standing.PAUSED,
}
_STANDINGS: Final = {
    Verdict.READY: Standing.READY,
    Verdict.ATTENTION: Standing.ATTENTION,
    Verdict.BLOCKED: Standing.BLOCKED,
    Verdict.UNKNOWN: Standing.UNKNOWN,
}
