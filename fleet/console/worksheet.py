"""What is shown of a worksheet still: whether letters can be judged on it, and its grid or why there is none. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from math import floor
from typing import Final

from fleet.console.standing import Badge
from fleet.stills import WHY
from fleet.times import credible, time_of_day
from fleet.views import KioskView, StillView
from wire.stills import sharp_enough

RUNNING: Final = frozenset({"starting", "live"})
"""States in which a still can be asked for; without network the kiosk would not hear it."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One still, ready to be shown."""

    id: str
    kiosk: str
    session: str | None
    heading: str
    badge: Badge
    image: str | None
    """Where the picture is, for a reader who may see it."""
    no_image: str
    """Why none is shown, empty when one is."""
    px_per_mm: float | None
    """What grid and measure go by; null without a scale."""
    width_px: int
    height_px: int


def sheet(still: StillView, now: datetime, zone: tzinfo | None, *, may_see: bool) -> Sheet:
    """The still as a reader sees it who may, or may not, see pictures."""
    shown = still.image is not None and may_see
    return Sheet(
        id=still.id,
        kiosk=still.kiosk,
        session=still.session,
        heading=f"Worksheet {_at(still, now, zone)}",
        badge=scale_badge(still),
        image=still.image if shown else None,
        no_image="" if shown else _no_image(still),
        px_per_mm=still.px_per_mm,
        width_px=still.width_px or 1,
        height_px=still.height_px or 1,
    )


def sheets(stills: Iterable[StillView], now: datetime, zone: tzinfo | None) -> tuple[Sheet, ...]:
    """Stills in a list, where no picture is shown."""
    return tuple(sheet(still, now, zone, may_see=False) for still in stills)


def scale_words(px_per_mm: float) -> str:
    """Whether handwriting can be judged at this scale; a figure is cut, never rounded up to what it is not."""
    told = f"{floor(px_per_mm * 10 + 1e-6) / 10:.1f} px per mm"
    if sharp_enough(px_per_mm):
        return f"{told}: good enough for handwriting"
    return f"{told}: too coarse to judge letters; move the camera closer"


def scale_badge(still: StillView) -> Badge:
    """The same as a badge, also for a still that has no scale or no use."""
    if still.unusable is not None:
        return Badge("cannot be used", "stop", "blocked")
    if still.px_per_mm is None:
        return Badge("no scale: the mat was not seen", "ask", "unknown")
    good = sharp_enough(still.px_per_mm)
    return Badge(scale_words(still.px_per_mm), "ok" if good else "warn", "ready" if good else "attention")


def can_be_asked(kiosk: KioskView) -> bool:
    """Whether a session runs on the kiosk as far as anyone knows."""
    return kiosk.session is not None and kiosk.presence.state == "online" and kiosk.state in RUNNING


def _at(still: StillView, now: datetime, zone: tzinfo | None) -> str:
    at = still.captured_at if credible(still.captured_at, now) else None
    return time_of_day(at or still.received_at, now, zone)


def _no_image(still: StillView) -> str:
    if still.destroyed_at is not None:
        why = WHY.get(still.destroyed_why or "", still.destroyed_why)
        return f"The picture was destroyed: {why}. Its figures stay."
    if still.unusable is not None:
        return f"The picture cannot be shown: {still.unusable}."
    return "Your role sees the figures of a worksheet, not its picture."
