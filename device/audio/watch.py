"""Looks after microphone and loudspeaker: listed or not, always; silent or not, only while the cameras' lamp is lit.

Nothing heard leaves the worker but two figures, and of those only the last second's are remembered.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import date, datetime
from typing import Final

from device.audio.cards import Card, cards, found
from device.audio.level import is_silent
from device.audio.sound import Hearing, SoundWorker, WorkerSpeaker
from device.audio.tones import RATE_HZ, Occasion, probe, refusal
from device.conditions import SoundFacts
from device.errors import CommandRefused, SoundError
from device.session.clock import Instant
from device.session.states import State
from device.settings import AudioSettings

_log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 3.0
_SILENT_IN_A_ROW: Final = 2


class SoundWatch:
    """What is known of the kiosk's sound, kept fresh by `run`.

    Args:
        settings: what is fitted.
        hearing: where the machine's devices are.
        may_listen: whether the microphone may be opened now.
        first_bell: when the school day begins that is not over yet; None when nobody knows.
    """

    def __init__(
        self,
        settings: AudioSettings,
        hearing: Hearing,
        may_listen: Callable[[], bool],
        first_bell: Callable[[], datetime | None] = lambda: None,
    ) -> None:
        self._settings, self._hearing, self._may_listen, self._first_bell = settings, hearing, may_listen, first_bell
        self._worker = SoundWorker(hearing)
        self._microphone: Card | None = None
        self._speaker: Card | None = None
        self._silent_in_a_row = 0
        self._probed: date | None = None
        self._failing = ""
        self.facts = SoundFacts()
        self.unknown: dict[str, str] = {}
        """By signal, why it cannot be known, as a short stable word; what is not fitted is not in it."""
        self.speaker = WorkerSpeaker(self._worker, lambda: self._speaker.pcm("play") if self._speaker else None)

    async def run(self, state: Callable[[], State], now: Callable[[], Instant]) -> None:
        """Look, and listen where that is allowed, until cancelled."""
        if not self._settings.fitted:
            await asyncio.Event().wait()
        try:
            while True:
                await self.look()
                await self._probe_in_the_morning(state(), now())
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            await self._worker.close()

    async def look(self) -> None:
        """Look once; listen for a second if that is allowed."""
        known = await asyncio.to_thread(cards, self._hearing.root)
        if known is None:
            self._microphone = self._speaker = None
            self.facts, self.unknown = SoundFacts(), dict.fromkeys(("audio.missing", "audio.silent"), "no-alsa")
            return
        self._microphone = found(known, self._settings.microphone, "capture")
        self._speaker = found(known, self._settings.speaker, "play")
        self.unknown = {}
        await self._listen()
        silent = None if "audio.silent" in self.unknown else self._silent_in_a_row >= _SILENT_IN_A_ROW
        self.facts = SoundFacts(
            has_microphone=self._microphone is not None, has_speaker=self._speaker is not None, is_silent=silent,
            rms_dbfs=None if silent is None else self.facts.rms_dbfs, floor_dbfs=self._settings.floor_dbfs,
        )  # fmt: skip

    async def play_asked(self, state: State, now: Instant) -> None:
        """Play the probe tone, because campus IT asked for it.

        Raises:
            CommandRefused: there is a session, or no loudspeaker, or it does not play.
        """
        pcm = self._speaker.pcm("play") if self._speaker else None
        why = refusal(Occasion.ASKED, state, now, None) or (None if pcm else "no-speaker")
        if why or pcm is None:
            raise CommandRefused(why or "no-speaker", "no tone may be heard here now, or nothing is there to play it")
        try:
            await self._worker.play(pcm, probe(), RATE_HZ)
        except SoundError as error:
            raise CommandRefused("speaker", str(error)) from error

    async def _listen(self) -> None:
        pcm = self._microphone.pcm("capture") if self._microphone else None
        if pcm is None or not self._may_listen():
            self.unknown["audio.silent"] = "no-microphone" if pcm is None else "not-listening"
            self._silent_in_a_row = 0
            return
        try:
            heard = await self._worker.listen(pcm, 1)
        except SoundError as error:
            self.unknown["audio.silent"] = "busy"
            level = logging.DEBUG if self._failing == str(error) else logging.WARNING
            _log.log(level, "the microphone cannot be listened to: %s", error)
            self._failing = str(error)
            return
        self._failing = ""
        self._silent_in_a_row = self._silent_in_a_row + 1 if is_silent(heard, self._settings.floor_dbfs) else 0
        self.facts = SoundFacts(rms_dbfs=heard[-1].rms_dbfs if heard else None)

    async def _probe_in_the_morning(self, state: State, now: Instant) -> None:
        """Once a day, before anybody is there."""
        bell = self._first_bell()
        if bell is None or self._probed == bell.date() or refusal(Occasion.MORNING, state, now, bell):
            return
        self._probed = bell.date()
        self.speaker.play(probe(), RATE_HZ)
