"""What each signal of wire/signal_table.py is called on the page, what the aide can do, and what it means for a start.

In English the one thing to do is the table's own sentence, so that the page says what the fleet believes it says.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from device.screen.sentences import Words
from wire.signal_table import SIGNALS


class Means(StrEnum):
    """What a signal means for a session that is started anyway."""

    ANYWAY = "anyway"
    UNSEEN = "unseen"
    POOR = "poor"
    CAMERAS_OFF = "cameras_off"
    TAP = "tap"


CALM: Final = frozenset(
    name
    for name, signal in SIGNALS.items()
    if signal.aide.startswith("Nothing to do") or name in {"storage.critical", "link.down"}
)
"""Signals about which nobody in the room can do anything: the page says "You can start"."""

OUTSIDE: Final = frozenset({"link.filtered", "certificate.expired"})
"""What helps nobody while a session runs; the page says "no network" then."""

_MEANS: Final = {
    "camera.missing": Means.UNSEEN,
    "camera.frozen": Means.UNSEEN,
    "camera.covered": Means.UNSEEN,
    "camera.shuttered": Means.UNSEEN,
    "camera.dark": Means.POOR,
    "camera.overexposed": Means.POOR,
    "camera.blurred": Means.POOR,
    "camera.glare": Means.POOR,
    "camera.moved": Means.POOR,
    "mat.not_in_frame": Means.POOR,
    "button.stuck": Means.TAP,
    "lamp.mismatch": Means.CAMERAS_OFF,
}


@dataclass(frozen=True, slots=True)
class SignalWords:
    """A signal as the page says it."""

    headline: str
    do: str
    means: Means


def camera(w: Words, role: str | None) -> str:
    """What the camera of `role` is called within a sentence."""
    return w.desk_camera if role == "overhead" else w.student_camera


def signal_words(w: Words, signal_id: str, role: str | None) -> SignalWords:
    """The words for one signal; one that this release does not know is called by its id."""
    name = camera(w, role)
    headline = w.signal.get(signal_id) or (w.you_can_start if signal_id in CALM else w.something_wrong)
    do = w.do.get(signal_id, signal_id)
    means = _MEANS.get(signal_id, Means.ANYWAY)
    return SignalWords(headline.format(camera=name, Camera=_capital(name)), do.format(camera=name), means)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
