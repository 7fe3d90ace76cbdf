"""What the agent watches besides cameras and link: sound, network, its certificate, wished software, shutters.

Each keeps its last facts; `found` makes conditions of them whenever the kiosk judges itself.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from device import conditions
from device.audio.watch import SoundWatch
from device.netcheck.watch import NetWatch
from device.netcheck.x509 import first_of
from device.readiness import Key
from device.release import VERSION
from device.session.clock import Instant
from device.session.states import State
from wire.messages import Config

_log = logging.getLogger(__name__)

_PAPERS_EVERY_S: Final = 10.0


class Papers:
    """When the kiosk's certificate ends, as the file says now; it may be renewed at any time.

    Args:
        path: the certificate; None where the kiosk has none.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._said = ""
        self.ends: datetime | None = None
        """None while nobody can know."""

    async def run(self) -> None:
        """Look into it when it is another file than before, until cancelled."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(_PAPERS_EVERY_S)

    def look(self) -> None:
        """Look once."""
        if self._path is None:
            return
        try:
            stat = self._path.stat()
            if self._seen == (stat.st_ino, stat.st_mtime_ns):
                return
            self._seen = stat.st_ino, stat.st_mtime_ns
            self.ends = first_of(self._path.read_bytes()).not_after
        except (OSError, ValueError) as error:
            self.ends = None
            if self._said != str(error):
                self._said = str(error)
                _log.warning("%s cannot be read, so nobody knows when it ends: %s", self._path, error)


class Senses:
    """All of them together, as the judgement sees them."""

    def __init__(
        self, sound: SoundWatch, network: NetWatch, papers: Papers, shutters: Callable[[], Mapping[str, bool]]
    ) -> None:
        self.sound, self.network, self.papers, self._shutters = sound, network, papers, shutters
        self.desired: Config | None = None
        """What the fleet wishes, as it last said."""

    def found(self, state: State, now: Instant) -> dict[Key, dict[str, Any]]:
        """What is true now, with evidence."""
        return {
            **conditions.of_sound(self.sound.facts),
            **conditions.of_line(self.network.facts),
            **conditions.of_certificate(self.papers.ends, now),
            **conditions.of_software(self.desired, VERSION, now),
            **conditions.of_schedule(state.schedule, now),
            **conditions.of_shutters(self._shutters()),
        }

    @property
    def unknown(self) -> dict[str, str]:
        """By signal, why it cannot be known, as a short stable word."""
        line = {} if self.network.result else {"link.filtered": "not-looked-yet"}
        papers = (
            {} if self.papers.ends else dict.fromkeys(("certificate.expiring", "certificate.expired"), "no-certificate")
        )
        return {**self.sound.unknown, **line, **papers}
