"""The kiosk's recordings: what each camera may keep now, what became of its segments, and how they leave this disk.

It follows the permission of session/consent.py and hands it to the cameras as a plan; sealing and writing is done by
the cameras' workers, and every segment is a row in the ledger. Work on the disk is done in one thread of its own.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar

from device import segment_budget
from device.cameras.recording import NOTHING, Event, Failed, Keep, Plan, Sealed
from device.cameras.supervisor import Camera
from device.errors import ShelfError
from device.segment_budget import Kept
from device.segments import Outcome, Recovered, Shelf
from device.session import states as s
from device.session.clock import NS_PER_MS, Clock, Instant
from device.session.consent import Permission
from device.session.states import Session
from device.settings import Settings

_log = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_EVERY_S: Final = 30.0
BEGIN_S: Final = 3_600
"""Recording begins only with room for an hour of both cameras: a half recorded session helps nobody."""
GO_ON_S: Final = 180
"""One that runs has others' oldest segments given up for it when its own room gets this small."""
_RETRY_S: Final = 5.0
_CHECK_PAUSE_S: Final = 0.5
"""Between two segments that are read through, so that a slow card stays free for everything else."""
_STEPPED: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the shelf holds."""

    segments: int = 0
    bytes: int = 0
    room_bytes: int | None = None
    """What may still be written; None before the first look, or when the disk does not say."""


class Vault:
    """Decides plans, and looks after the shelf.

    Args:
        settings: where, for whom, and how much.
        clock: the kiosk's clock.
        cameras: by role; each is told its plan.
        post: puts an event into the kiosk's queue.
    """

    def __init__(
        self, settings: Settings, clock: Clock, cameras: Mapping[str, Camera], post: Callable[[s.Event], None]
    ) -> None:
        self._of, self._clock, self._cameras, self._post = settings, clock, cameras, post
        self._shelf = Shelf(settings.data_dir / "segments")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kiosk.shelf")
        self._tasks: set[asyncio.Task[None]] = set()
        self._look_now = asyncio.Event()
        self._plan = NOTHING
        self._begun: str | None = None
        self._said: Permission | None = None
        self._known: set[str] = set()
        """The segments of which a row says that they are sealed or recovered."""
        self.upload_trouble: str | None = None
        """Why recordings are not sent at the moment, as a stable word; the uploader says so."""
        self.holdings = Holdings()
        self.permission = Permission(Keep.NOTHING, "no-session")
        """What is kept now, with disk and key taken into account."""

    @property
    def bytes_per_s(self) -> float:
        """What both cameras write while they record."""
        return sum(camera.spec.bitrate_bps for camera in self._cameras.values()) / 8

    # What may be kept

    def follow(self, permission: Permission, session: Session | None, now: Instant) -> None:
        """Keep what `permission` allows, as far as key and disk do; called with every change, and often."""
        real = self._possible(permission, session)
        plan = self._planned(real, session, now)
        if not plan.same_but_for_time(self._plan) or _stepped(plan, self._plan):
            self._plan = plan
            for camera in self._cameras.values():
                camera.record(plan)
        if session is not None and real != self._said and (real.keep is not Keep.NOTHING or self._said is not None):
            data = {"keep": real.keep.value, "reason": real.reason}
            self._post(s.Noted("recording.changed", data, session.id))
        if session is not None and real.reason == "not-this-student" and self.permission != real:
            self._begin(self._destroy_session(session.id, plan.number, "not-this-student"))
        self.permission, self._said = real, real if session else None

    def _possible(self, permission: Permission, session: Session | None) -> Permission:
        if permission.keep is Keep.NOTHING or session is None:
            self._begun = self._begun if session is not None and session.id == self._begun else None
            return permission
        if not self._of.recording.fleet_key:
            return Permission(Keep.NOTHING, "no-key")
        room = self.holdings.room_bytes
        needed = (GO_ON_S / 3 if self._begun == session.id else BEGIN_S) * self.bytes_per_s
        if room is None or room < needed:
            return Permission(Keep.NOTHING, "no-room")
        self._begun = session.id
        return permission

    def _planned(self, permission: Permission, session: Session | None, now: Instant) -> Plan:
        number = self._plan.number + 1
        if permission.keep is Keep.NOTHING or session is None:
            return Plan(number=number)
        return Plan(
            keep=permission.keep, number=number, folder=str(self._of.data_dir / "segments"),
            fleet_key=self._of.recording.fleet_key, kiosk=self._of.kiosk.id, campus=self._of.kiosk.campus,
            session=session.id, booking=session.booking.id if session.booking else None,
            boot=now.boot, clock=now.trust.value, at=now.wall.isoformat(), mono_ns=now.mono_ns,
            anchor_ns=time.monotonic_ns(),
        )  # fmt: skip

    # What became of it

    def told(self, event: Event) -> None:
        """A camera's worker says what became of a segment."""
        match event:
            case Sealed():
                self._note_sealed(event)
            case Failed(role=role, reason=reason):
                data = {"role": role, "reason": reason}
                self._post(s.Noted("recording.failed", data))
        self._look_now.set()

    def buried(self, role: str, last_packet_ns: int | None) -> None:
        """A camera's worker is dead: what it was writing is cut to what is whole, and kept."""
        try:
            left = self._shelf.parts()  # named now: the next worker may begin another one at any time
        except ShelfError as error:
            _log.warning("%s", error)
            return
        if left:
            now = self._clock.now()
            ago_ns = 0 if last_packet_ns is None else time.monotonic_ns() - last_packet_ns
            last = None if last_packet_ns is None else now.earlier(now.mono_ns - ago_ns)
            self._begin(self._recover(role, left, last, "worker"))

    async def recover(self, known: frozenset[str], wrong: frozenset[str], alive: Instant | None) -> None:
        """After a start: keep what the last boot was writing, and write down what no row knows of.

        Args:
            known: the segments of which the ledger says that they are sealed or recovered.
            wrong: the sessions of which somebody said that another student sat there.
            alive: the last instant known to be lived through.
        """
        self._known |= known
        try:
            await self._recover(None, None, alive, "power")
        except ShelfError as error:
            _log.error("%s", error)  # expected on a bad disk; the kiosk works without its shelf
        self._begin(self._check_all())
        for session in wrong:
            self._begin(self._destroy_session(session, 0, "not-this-student"))

    async def run(self) -> None:
        """Look at the shelf every half minute, and give up what has to go, until cancelled."""
        while True:
            try:
                await self._look()
            except ShelfError as error:
                _log.log(logging.DEBUG if self.holdings.room_bytes is None else logging.WARNING, "%s", error)
                self.holdings = Holdings(self.holdings.segments, self.holdings.bytes, None)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._look_now.wait()
                await asyncio.sleep(1)  # both cameras seal at about the same time
            self._look_now.clear()

    async def on_shelf(self, work: Callable[[Shelf], T]) -> T:
        """Do something with the shelf in its own thread, one after the other; what it raises is passed on."""
        return await self._run(partial(work, self._shelf))

    async def give_up(self, segments: Iterable[Kept], reason: str) -> None:
        """Destroy these, with a row for each; raises `ShelfError`."""
        await self._give_up(segments, reason)
        self.look_again()

    def look_again(self) -> None:
        """What lies there has changed."""
        self._look_now.set()

    async def close(self) -> None:
        """Let go of the thread; what it does is finished first."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._thread.shutdown(wait=True)

    async def _check_all(self) -> None:
        """Once after each start, while no camera records: read every segment through; a damaged one is set aside."""
        for one in await self._run(self._shelf.contents):
            while self._plan.keep is not Keep.NOTHING:  # noqa: ASYNC110 - nobody waits for this
                await asyncio.sleep(_RETRY_S)
            for damaged in await self._run(partial(self._shelf.check, one.segment)):
                self._note_recovered(damaged, None, "damaged")
            await asyncio.sleep(_CHECK_PAUSE_S)

    async def _look(self) -> None:
        of = self._of.recording
        kept = await self._run(self._shelf.contents)
        gone = segment_budget.older_than(kept, of.keep_hours, self._clock.now())
        await self._give_up(gone, "age")
        room = await self._run(partial(self._shelf.room, of.quota_bytes, of.reserve_bytes))
        wanted = GO_ON_S * self.bytes_per_s if self._plan.keep is Keep.ALL else 0
        if room < wanted or (room == 0 and kept):
            left = [one for one in kept if one not in gone]
            await self._give_up(segment_budget.evictions(left, round(max(wanted - room, self.bytes_per_s))), "storage")
            room = await self._run(partial(self._shelf.room, of.quota_bytes, of.reserve_bytes))
        kept = await self._run(self._shelf.contents)
        self.holdings = Holdings(len(kept), sum(one.bytes for one in kept), room)

    async def _give_up(self, segments: Iterable[Kept], reason: str) -> None:
        for one in segments:
            await self._run(partial(self._shelf.destroy, one.segment))
            self._note_destroyed(one, reason)

    async def _destroy_session(self, session: str, plan: int, reason: str) -> None:
        """Once no recorder writes it any more, make everything of a session unreadable; tried until it is done."""
        while self._writes_by_a_plan_before(plan):  # noqa: ASYNC110 - it changes with what other processes say
            await asyncio.sleep(0.05)
        while True:
            try:
                gone = await self._run(partial(self._shelf.destroy_session, session))
            except ShelfError as error:
                _log.warning("%s; tried again in %.0f s", error, _RETRY_S)
                await asyncio.sleep(_RETRY_S)
                continue
            for one in gone:
                self._note_destroyed(one, reason)
            self._look_now.set()
            return

    def _writes_by_a_plan_before(self, number: int) -> bool:
        now = [camera.status() for camera in self._cameras.values()]
        return any(one.pid is not None and one.plan < number for one in now)

    async def _recover(self, role: str | None, among: frozenset[str] | None, last: Instant | None, why: str) -> None:
        for one in await self._run(partial(self._shelf.recover, role, among)):
            self._note_recovered(one, last, why)
        # Some may have been sealed in the very moment in which their worker, or the agent, died.
        for kept in await self._run(self._shelf.contents):
            if kept.segment not in self._known and role in {None, kept.role}:
                await self._note_found(kept)
        self._look_now.set()

    # Rows

    def _note_sealed(self, one: Sealed) -> None:
        self._known.add(one.segment)
        data = {
            "segment": one.segment, "role": one.role, "ms": one.ms, "bytes": one.bytes, "hash": one.hash,
            "frames": one.frames, "started_at": one.at, "started_boot": one.boot, "started_mono_ns": one.mono_ns,
            "clock": one.clock,
        }  # fmt: skip
        self._post(s.Noted("segment.sealed", data, one.session))

    def _note_recovered(self, one: Recovered, last: Instant | None, why: str) -> None:
        header = one.header
        self._known.add(one.segment)
        if one.outcome is Outcome.LEFT or header is None:
            _log.warning("segment %s: %s (%s)", one.segment, one.outcome, one.reason)
            if one.outcome is not Outcome.QUARANTINED:
                return
        data: dict[str, Any] = {"segment": one.segment, "role": header.role if header else "unknown"}
        if header is not None and one.outcome is Outcome.KEPT:
            end_ns = header.mono_ns + one.duration_ms * NS_PER_MS
            same_boot = last is not None and last.boot == header.boot
            data |= {
                "ms": one.duration_ms, "bytes": one.bytes, "hash": one.hash, "reason": why,
                "started_at": header.at.isoformat(), "started_boot": header.boot, "started_mono_ns": header.mono_ns,
                "clock": header.clock.value,
                "lost_ms": max(0, last.mono_ns - end_ns) // NS_PER_MS if last is not None and same_boot else None,
            }  # fmt: skip
        else:
            data |= {"reason": f"{one.outcome}: {one.reason or why}"}
        self._post(s.Noted("segment.recovered", data, header.session if header else None))

    async def _note_found(self, kept: Kept) -> None:
        """A whole segment that no row knows of."""
        self._known.add(kept.segment)
        scan = await self._run(partial(self._shelf.scan, kept.segment))
        data = {
            "segment": kept.segment, "role": kept.role, "ms": scan.duration_ms, "bytes": scan.good_bytes,
            "hash": scan.hash, "started_at": kept.at.isoformat(), "started_boot": kept.boot,
            "started_mono_ns": kept.mono_ns, "clock": kept.clock.value, "reason": "found",
        }  # fmt: skip
        self._post(s.Noted("segment.sealed", data, kept.session))

    def _note_destroyed(self, one: Kept, reason: str) -> None:
        data = {"segment": one.segment, "role": one.role, "bytes": one.bytes, "reason": reason}
        self._post(s.Noted("segment.destroyed", data, one.session))

    # Work

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _begin(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("the shelf: %s", error)


def _stepped(plan: Plan, before: Plan) -> bool:
    """Whether the kiosk's clock was set since the plan before was made."""
    if plan.keep is Keep.NOTHING:
        return False
    there = datetime.fromisoformat(before.at) + timedelta(microseconds=(plan.anchor_ns - before.anchor_ns) / 1_000)
    return plan.clock != before.clock or abs(there - datetime.fromisoformat(plan.at)) > _STEPPED
