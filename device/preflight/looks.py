"""Looks the kiosk over: opens the cameras, waits until each can be judged, and closes them again as they were.

One look at a time, each part with a deadline of its own, all together under ten seconds. Nothing here holds up a press:
a session that begins takes the cameras as they stand, and the look is given up.
"""

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from device.aim import Stage
from device.conditions import SoundFacts
from device.errors import CommandRefused, LedgerUnwritable
from device.kiosk import Kiosk
from device.preflight import plan
from device.preflight.checks import Seen, StorageSeen, checks, verdict
from device.preflight.settling import Settling
from device.readiness import LEDGER_BYTES_PER_S
from device.session.journal import Journal
from device.session.ledger import Ledger
from device.session.states import Phase
from wire.preflight import Preflight
from wire.schedule import Booking

_log = logging.getLogger(__name__)

PURPOSE: Final = "preflight"
"""What the ledger calls it when cameras are opened and closed for a look."""
CAMERAS_WITHIN_S: Final = 8.0
ECHO_WITHIN_S: Final = 4.0
STORAGE_WITHIN_S: Final = 2.0
KEPT_WITHIN_S: Final = 1.0
DUE_EVERY_S: Final = 0.5
_LOOK_EVERY_S: Final = 0.1
_KEPT: Final = "preflight"


class Looks:
    """The looks of one kiosk, and what the last one found.

    Args:
        kiosk: whose cameras, schedule, clock and judgement.
        journal: where is kept which turns were taken, so that a restart takes none twice.
        echo: asks the fleet for a sign of life, within seconds; the round trip in milliseconds, None without an answer.
        sound: what is known of microphone and loudspeaker; None where nothing looks at them.
    """

    def __init__(
        self,
        kiosk: Kiosk,
        journal: Journal,
        echo: Callable[[float], Coroutine[Any, Any, float | None]],
        sound: Callable[[], SoundFacts | None] = lambda: None,
    ) -> None:
        self._kiosk, self._journal, self._echo, self._sound = kiosk, journal, echo, sound
        self._made: frozenset[str] = frozenset()
        self._running: asyncio.Task[Preflight | None] | None = None

    async def recall(self) -> None:
        """Take up what the last life of the agent kept: the turns taken, and the last result with its age."""
        kept = await self._journal.call(lambda ledger: ledger.kept(_KEPT)) or {}
        self._made = frozenset(kept.get("made", ()))
        if kept.get("last"):
            self._kiosk.preflight = replace(self._kiosk.preflight, last=Preflight.model_validate(kept["last"]))

    async def run(self) -> None:
        """Look before each booking, until cancelled."""
        await self.recall()
        while True:
            kiosk = self._kiosk
            due = plan.due(kiosk.state, kiosk.clock.now(), self._made)
            if due is not None and self._running is None and not self.busy():
                self._made = plan.still_of_use(self._made, kiosk.state.schedule) | due.turns
                await self._look(due.booking)
            await asyncio.sleep(DUE_EVERY_S)

    async def asked(self) -> Preflight:
        """Look now, because somebody asked; a look that runs already is the answer.

        Raises:
            CommandRefused: a session runs or began meanwhile, or the kiosk is not at rest; the words say which.
        """
        why = self.busy()
        if why is not None:
            raise why
        found = await self._look(None)
        if found is None:
            raise self.busy() or _in_session()
        return found

    def busy(self) -> CommandRefused | None:
        """Why no look may be made now; None when one may."""
        state = self._kiosk.state
        if state.session is not None:
            return _in_session()
        if state.phase is not Phase.IDLE:
            return CommandRefused("busy", "The kiosk starts up, or cannot keep its record; it was not looked over.")
        if self._kiosk.setup.stage != Stage.CLOSED:
            return CommandRefused("busy", "Somebody is setting up the cameras; the kiosk was not looked over.")
        return None

    async def _look(self, booking: Booking | None) -> Preflight | None:
        """The look that runs, or a new one; None when it was given up."""
        if self._running is None:
            self._running = asyncio.ensure_future(self._one(booking))
            self._running.add_done_callback(self._over)
        # Whoever waits may be cancelled; the look is not, others wait for it as well, and the cameras are closed by it.
        return await asyncio.shield(self._running)

    def _over(self, _task: asyncio.Task[Preflight | None]) -> None:
        self._running = None

    async def _one(self, booking: Booking | None) -> Preflight | None:
        kiosk, loop = self._kiosk, asyncio.get_running_loop()
        began, began_s = kiosk.clock.now(), loop.time()
        kiosk.preflight = replace(kiosk.preflight, looking=True)
        kiosk.tell_news()
        try:
            async with asyncio.TaskGroup() as parts:
                echo = parts.create_task(self._echo(ECHO_WITHIN_S))
                storage = parts.create_task(self._storage(booking))
                cameras = parts.create_task(self._cameras())
            seen = cameras.result()
            if seen is None:
                _log.info("a look before a session was given up: the session began")
                return None
            seen = replace(
                seen, echo_ms=echo.result(), link_up=kiosk.state.link_up, storage=storage.result(), sound=self._sound()
            )
            found = checks(seen)
            took_ms = round((loop.time() - began_s) * 1_000)
            told = Preflight(
                at=began.wall, took_ms=took_ms, booking=booking.id if booking else None,
                verdict=verdict(seen, found), checks=found,
            )  # fmt: skip
            kiosk.preflight = replace(kiosk.preflight, last=told)
            await self._keep(told)
            return told
        finally:
            kiosk.preflight = replace(kiosk.preflight, looking=False)
            kiosk.tell_news()

    async def _cameras(self) -> Seen | None:
        """Open them where that is allowed, look until all is settled or time is up, close them; None on a session."""
        kiosk, loop = self._kiosk, asyncio.get_running_loop()
        began_s, now = loop.time(), kiosk.clock.now()
        checked = kiosk.settings.cameras.picture_checks
        if plan.allowed(kiosk.state.schedule, now):
            kiosk.cameras.ask_for(PURPOSE, wanted=True)
        try:
            kiosk.follow()
            wanted, reason = kiosk.cameras.wanted(kiosk.state, now)
            settling = {role: Settling(checked) for role in kiosk.cameras.specs()} if wanted else {}
            while settling and loop.time() - began_s < CAMERAS_WITHIN_S and kiosk.state.session is None:
                views = kiosk.cameras.views()
                if all([one.see(views[role], loop.time() - began_s) for role, one in settling.items()]):  # noqa: C419  # each is shown
                    break
                await asyncio.sleep(_LOOK_EVERY_S)
            if kiosk.state.session is not None:
                return None
            kiosk.judge()
            return Seen(
                now=kiosk.clock.now(), judged=kiosk.judgement.verdict, signals=kiosk.judgement.signals,
                cameras=kiosk.cameras.views(), checked=checked, barred="" if wanted else _barred(reason),
                first_frame_s=_first_frames(settling), has_button=kiosk.has_button, stuck=kiosk.state.stuck,
                clock=kiosk.clock.opinion,
            )  # fmt: skip
        finally:
            kiosk.cameras.ask_for(PURPOSE, wanted=False)
            kiosk.follow()

    async def _storage(self, booking: Booking | None) -> StorageSeen:
        """What is left, and whether the disk still takes a write: the turns are kept by one as the look begins."""
        kiosk = self._kiosk
        rate = LEDGER_BYTES_PER_S + kiosk.recording_bytes_per_s
        planned_s = plan.planned_s(kiosk.state, kiosk.clock.now(), booking)
        free: int | None = None
        writable = await self._keep(kiosk.preflight.last)
        with contextlib.suppress(TimeoutError, OSError):  # a disk that does not answer is unknown
            async with asyncio.timeout(STORAGE_WITHIN_S):
                free = (await asyncio.to_thread(shutil.disk_usage, kiosk.settings.data_dir)).free
        return StorageSeen(free, rate, planned_s, writable)

    async def _keep(self, last: Preflight | None) -> bool | None:
        """Keep turns and result for the next life of the agent; whether the disk took them, None if it is slow."""
        told: dict[str, Any] = {
            "made": sorted(self._made), "last": last.model_dump(mode="json") if last else None,
        }  # fmt: skip
        try:
            async with asyncio.timeout(KEPT_WITHIN_S):
                await self._journal.call(partial(Ledger.keep, key=_KEPT, value=told))
        except TimeoutError:
            return None
        except LedgerUnwritable as error:
            _log.warning("%s; a restart may look at this kiosk once more", error)
            return False
        return True


def _in_session() -> CommandRefused:
    return CommandRefused("in-session", "A session runs at this kiosk; nothing disturbs it. Ask again when it is over.")


def _barred(reason: str) -> str:
    """Why cameras stay closed, in words."""
    if reason == "lamp":
        return "The camera lamp is wrong; the cameras stay closed."
    if reason == "exchange":
        return "The cameras are being exchanged; they stay closed until that is over."
    return "School is out; cameras are opened within its bells only."


def _first_frames(settling: Mapping[str, Settling]) -> dict[str, float]:
    return {role: one.first_frame_s for role, one in settling.items() if one.first_frame_s is not None}
