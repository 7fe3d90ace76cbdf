"""The sound devices of a simulated kiosk, all of it files: cards as the kernel lists them, and an ALSA that uses them.

The kiosk's own worker opens them through the real libasound, whose `file` plugin captures from one file and plays into
another. Unplugging takes a card's folder away; a muted microphone is a file of zeros.
"""

import math
import random
import shutil
from array import array
from enum import StrEnum
from pathlib import Path
from typing import Final

from device.audio.sound import Hearing

MICROPHONE_ID: Final = "1d6b:0a01"
SPEAKER_ID: Final = "1d6b:0a02"
_RATE_HZ: Final = 48_000
_SECONDS: Final = 3
_ROOM_AMPLITUDE: Final = 90
"""A quiet room: about -56 dBFS."""
_CARDS: Final = {"microphone": ("LabMic", MICROPHONE_ID, "pcm0c"), "speaker": ("LabSpeaker", SPEAKER_ID, "pcm0p")}
_CONFIGURATION: Final = """\
pcm.plughw {{
  @args [ CARD DEV ]
  @args.CARD {{ type string }}
  @args.DEV {{ type integer default 0 }}
  type file
  slave.pcm {{ type null }}
  infile {{ @func concat strings [ "{folder}/" $CARD ".in" ] }}
  file {{ @func concat strings [ "{folder}/" $CARD ".out" ] }}
  format raw
}}
"""


class Mute(StrEnum):
    """What can be wrong with the sound."""

    NONE = "none"
    MUTED = "muted"
    NO_MICROPHONE = "no-microphone"
    NO_SPEAKER = "no-speaker"


class LabSound:
    """A microphone and a loudspeaker.

    Args:
        folder: theirs; made if it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._root = folder, folder / "asound"
        self._root.mkdir(parents=True, exist_ok=True)
        (folder / "asound.conf").write_text(_CONFIGURATION.format(folder=folder), encoding="utf-8")
        self.set(Mute.NONE)

    @property
    def hearing(self) -> Hearing:
        """What the kiosk's agent is handed."""
        return hearing_in(self._folder)

    @property
    def played(self) -> bytes:
        """What came out of the loudspeaker last, 16-bit words."""
        path = self._folder / "LabSpeaker.out"
        return path.read_bytes() if path.exists() else b""

    def set(self, mute: Mute) -> None:
        """Plug both in, or take one away, or mute the microphone."""
        self.hear(0 if mute is Mute.MUTED else _ROOM_AMPLITUDE)
        for number, (part, card) in enumerate(_CARDS.items()):
            self._plug(number, card, plugged=mute.value != f"no-{part}")

    def hear(self, amplitude: int) -> None:
        """Let the room be so loud, in steps of 16 bits."""
        noise = random.Random(7)  # the same room each time
        heard = array("h", (round(noise.gauss(0, amplitude / math.sqrt(2))) for _ in range(_RATE_HZ * _SECONDS)))
        fresh = self._folder / ".LabMic.in"
        fresh.write_bytes(heard.tobytes())
        fresh.replace(self._folder / "LabMic.in")

    def _plug(self, number: int, card: tuple[str, str, str], *, plugged: bool) -> None:
        name, usb_id, stream = card
        folder = self._root / f"card{number}"
        if not plugged:
            shutil.rmtree(folder, ignore_errors=True)
            return
        (folder / stream).mkdir(parents=True, exist_ok=True)
        (folder / "usbid").write_text(f"{usb_id}\n", encoding="ascii")
        (folder / "id").write_text(f"{name}\n", encoding="ascii")  # last: a card without a name is none yet


def hearing_in(folder: Path) -> Hearing:
    """The sound devices whose files are in `folder`."""
    return Hearing(folder / "asound", {"ALSA_CONFIG_PATH": str(folder / "asound.conf")})
