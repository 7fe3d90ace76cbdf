"""The agent's own network check: every hour outside sessions, when the link stays down, and when somebody asks."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final, Protocol

from device.conditions import LineFacts
from device.link_quality import LinkQuality
from device.netcheck.rows import Result
from device.netcheck.run import Figures, World, check, needed_bps
from device.settings import Settings

_log = logging.getLogger(__name__)

EVERY_S: Final = 3_600.0
AGAIN_S: Final = 45.0
"""While something is found: so that its end is seen within a minute."""
_LOOK_S: Final = 1.0


class MeasuredLink(Protocol):
    """The link, as far as it is measured."""

    up: bool
    quality: LinkQuality

    async def measure_upload(self, enough_bps: int) -> int | None:
        """Bits per second that can be sent, at least; None when nobody answers."""


class NetWatch:
    """Keeps the last result.

    Args:
        settings: the kiosk's.
        world: the machine.
        link: what is measured; None before there is one.
        in_session: whether a session runs now: then nothing is sent for the measurement's own sake.
    """

    def __init__(self, settings: Settings, world: World, link: MeasuredLink, in_session: Callable[[], bool]) -> None:
        self._settings, self._world, self._link, self._in_session = settings, world, link, in_session
        self._one = asyncio.Lock()
        self._looked_at: float | None = None
        self._needed_bps = needed_bps(settings)
        self.result: Result | None = None

    @property
    def facts(self) -> LineFacts:
        """For the judgement."""
        quality = self._link.quality
        return LineFacts(quality.median_ms, quality.lost_share, self._needed_bps, self.result)

    async def run(self) -> None:
        """Look when it is time, until cancelled."""
        was_up = self._link.up
        while True:
            came_up, was_up = self._link.up and not was_up, self._link.up
            if self._is_time(came_up=came_up):
                await self.look()
            await asyncio.sleep(_LOOK_S)

    async def look(self) -> Result:
        """Look now, or have the result of a look that goes on already; about 10 s at most."""
        if self._one.locked():
            async with self._one:
                assert self.result is not None
                return self.result
        async with self._one:
            quality = self._link.quality
            upload_bps = await self._upload()
            figures = Figures(quality.median_ms, quality.lost_share, upload_bps)
            self.result = await check(self._settings, self._world, figures)
            self._looked_at = time.monotonic()
            for row in self.result.filtered:
                _log.info("netcheck: %s %s: %s", row.name, row.where, row.says)
            return self.result

    async def in_words(self) -> str:
        """As `look`, in one line: what is wrong, or that nothing is."""
        result = await self.look()
        says = [f"{row.name} {row.where}: {row.says}" for row in result.troubles]
        return " ".join(says) or "Nothing is wrong with the network as far as it can be seen from here."

    async def _upload(self) -> int | None:
        if self._in_session():
            return self.result.upload_bps if self.result else None
        return await self._link.measure_upload(self._needed_bps) if self._link.up else None

    def _is_time(self, *, came_up: bool) -> bool:
        if self._in_session() and not (came_up and self.result and self.result.filtered):
            return False
        if self._looked_at is None:
            return self._link.up  # the first look, once there is something to measure
        troubled = self.result is not None and (self.result.filtered or self.facts_are_weak)
        every_s = AGAIN_S if troubled and self._link.up else EVERY_S
        return (came_up and bool(troubled)) or time.monotonic() - self._looked_at >= every_s

    @property
    def facts_are_weak(self) -> bool:
        """Whether the last measured upload is less than both cameras need."""
        bps = self.result.upload_bps if self.result else None
        return bps is not None and bps < self._needed_bps
