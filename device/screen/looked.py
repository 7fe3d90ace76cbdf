"""What the page says of the kiosk's look at itself before a booking: that it looks, and what it found."""

from datetime import datetime, timedelta
from typing import Any, Final

from device.preflight.checks import signals_of
from device.screen.draw import draw
from device.screen.model import Screen, Shape, Tone, View
from device.screen.scene import Scene
from device.screen.signal_words import CALM, signal_words
from wire.preflight import Check, Preflight
from wire.signals import Verdict

SAID_FOR: Final = timedelta(minutes=1)
"""How long a look that found nothing is spoken of."""
COUNTS_FOR: Final = timedelta(minutes=30)
"""How long what was found wrong is, while the cameras that showed it are closed again."""


def looking(scene: Scene, parts: dict[str, Any]) -> View | None:
    """The page while the kiosk looks itself over; None while it does not. The button does what it always does."""
    if not scene.snapshot.preflight.looking:
        return None
    w = scene.w
    told = parts | {"then": w.looking_do, "tone": Tone.UNKNOWN, "shape": Shape.WAIT}
    return draw(scene, Screen.READY, w.looking, **told)


def found(scene: Scene, parts: dict[str, Any]) -> View | None:
    """What the last look found that nothing shows any more, because the cameras are closed; None without anything."""
    last = _recent(scene, COUNTS_FOR)
    wrong = next((one for one in last.checks if _shown(one)), None) if last else None
    if last is None or wrong is None or last.verdict not in {Verdict.ATTENTION, Verdict.BLOCKED}:
        return None
    words = signal_words(scene.w, signals_of(wrong)[0], wrong.role)
    then = scene.w.looked_ill.format(time=scene.time_of_day(last.at))
    return draw(scene, Screen.NOT_READY, words.headline, **parts | {"do": words.do, "then": then})


def well(scene: Scene) -> str:
    """The small line after a look that found nothing wrong, for a minute; else empty."""
    last = _recent(scene, SAID_FOR)
    if last is None or any(one.ok is False for one in last.checks):
        return ""
    w, time = scene.w, scene.time_of_day(last.at)
    saw_all = all(one.ok for one in last.checks if one.name in {"camera", "picture"})
    return (w.looked_well if saw_all else w.looked_partly).format(time=time)


def _shown(check: Check) -> bool:
    """Whether somebody in the room can do something about it, and only this look could show it."""
    signals = signals_of(check)
    return check.name in {"camera", "picture"} and check.ok is False and bool(signals) and signals[0] not in CALM


def _recent(scene: Scene, age: timedelta) -> Preflight | None:
    """The last look, if it is no older and no session ended since; cameras that are open show how things are now."""
    last, at, snapshot = scene.snapshot.preflight.last, scene.snapshot.at.wall, scene.snapshot
    if last is None or not scene.clock_set or not timedelta(0) <= at - last.at <= age:
        return None
    ended = snapshot.record.ended_at if snapshot.record and scene.state.last else None
    return None if _after(ended, last.at) or (age is COUNTS_FOR and snapshot.camera_lamp) else last


def _after(at: datetime | None, other: datetime) -> bool:
    return at is not None and at > other
