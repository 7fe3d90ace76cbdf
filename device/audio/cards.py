"""The sound cards that the kernel lists, and the one that is meant, by its USB id. Reads files, opens no device.

`/proc/asound/cardN/` holds `id` (ALSA's name for it), `usbid` (`vendor:product`, USB cards only) and one folder per
stream: `pcm0c` captures, `pcm0p` plays (Linux kernel, Documentation/sound/designs/procfile.rst).
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

PROC: Final = Path("/proc/asound")
Way = Literal["capture", "play"]
_LETTER: Final = {"capture": "c", "play": "p"}


@dataclass(frozen=True, slots=True)
class Card:
    """One sound card."""

    name: str
    """ALSA's own, such as `PowerConf`; it survives a replug, the number does not."""
    usb_id: str | None
    """`vendor:product` in hexadecimal, lower case; None for what is no USB card."""
    capture: int | None
    """The first device that captures; None when none does."""
    play: int | None

    def pcm(self, way: Way) -> str | None:
        """What ALSA is asked to open, with its conversion of rates and forms in between; None when there is none."""
        device = self.capture if way == "capture" else self.play
        return None if device is None else f"plughw:CARD={self.name},DEV={device}"


def cards(root: Path = PROC) -> tuple[Card, ...] | None:
    """The cards in the kernel's order; None where there is no ALSA, so that nobody can know."""
    if not root.is_dir():
        return None
    folders = sorted(
        (one for one in root.glob("card[0-9]*") if one.name[4:].isdecimal()), key=lambda one: int(one.name[4:])
    )
    return tuple(card for card in map(_card, folders) if card is not None)


def found(known: tuple[Card, ...], usb_id: str, way: Way) -> Card | None:
    """The card that is meant: the one with this USB id, or without an id the first USB card that can do it."""
    able = [one for one in known if one.pcm(way) is not None]
    if usb_id:
        return next((one for one in able if one.usb_id == usb_id.lower()), None)
    return next((one for one in able if one.usb_id is not None), None)


def _card(folder: Path) -> Card | None:
    name = _text(folder / "id")
    if not name or re.fullmatch(r"[A-Za-z0-9_-]{1,32}", name) is None:
        return None  # it is just being plugged in or out; the next look tells
    return Card(
        name, (_text(folder / "usbid") or "").lower() or None, _first(folder, "capture"), _first(folder, "play")
    )


def _first(folder: Path, way: Way) -> int | None:
    found_ = (re.fullmatch(rf"pcm(\d+){_LETTER[way]}", one.name) for one in folder.glob("pcm*"))
    return min((int(one[1]) for one in found_ if one), default=None)


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None  # not that kind of card, or gone meanwhile
