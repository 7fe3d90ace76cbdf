"""The kiosk at work: one queue of events, one machine, and what follows. Everything here runs in the agent's loop."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from device import boot, chimes, effects, readiness
from device.camera_pair import CameraPair
from device.cameras.boundary import View
from device.cameras.ladder import CameraState, Step
from device.cameras.process import Still
from device.cameras.status import TROUBLE, CameraStatus
from device.cameras.supervisor import Camera
from device.errors import KioskError, LedgerUnwritable
from device.gestures import Gesture, Kind
from device.health import Vitals
from device.panel import Lamp, Panel
from device.senses import Senses
from device.session import lateness
from device.session import states as s
from device.session.clock import Clock, Instant
from device.session.consent import permission
from device.session.journal import Journal
from device.session.kiosk_clock import KioskClock
from device.session.ledger import as_row
from device.session.machine import step, wake_at
from device.settings import Settings
from device.snapshot import PreflightView, RecordingView, SetupView, Snapshot
from device.vault import Vault
from wire.ledger import Row
from wire.minutes import SessionRecord, Until, fold
from wire.signals import Verdict

_log = logging.getLogger(__name__)

_IDENTIFY_NS: Final = 15_000_000_000


@dataclass(slots=True)
class _Item:
    event: s.Event
    at_ns: int | None
    done: asyncio.Future[None] | None = None


class Kiosk:
    """Takes events, keeps the state, and says what it is. It is the port that the screen sees."""

    def __init__(
        self, settings: Settings, clock: Clock, journal: Journal, panel: Panel | None, cameras: Mapping[str, Camera]
    ) -> None:
        self.settings, self.journal = settings, journal
        self.clock = clock if isinstance(clock, KioskClock) else KioskClock(clock)
        self.state = s.State(time_zone=settings.kiosk.time_zone)
        self.judgement = readiness.Judgement(Verdict.UNKNOWN)
        self.vitals: Vitals | None = None
        self.unwritten = False
        self.link_since: datetime | None = None
        self.starts: Sequence[datetime] = ()
        """When the agent was started, this time included."""
        self.last_steps: dict[str, str] = {}
        """By role, the last rung of the recovery ladder that was taken in this boot."""
        self.oldest_unacked_at: datetime | None = None
        self.backlog_bytes = 0
        self._panel = panel
        self.cameras = CameraPair(cameras, panel, settings.cameras.idle)
        self._events: asyncio.Queue[_Item] = asyncio.Queue()
        self._news = asyncio.Event()
        self._last_ns = 0
        self._record_id: str | None = None
        self._session_rows: list[Row] = []
        self._identify_until_ns = 0
        self._ahead: s.State | None = None
        """A state that closes cameras, while its facts are being written: what it forbids is forbidden already."""
        self.takes_press: Callable[[], bool] = lambda: False
        """Whether the button's press is meant for something else than a session."""
        self.speaker: chimes.Speaker = chimes.Silence()
        self.setup = SetupView()
        self.preflight = PreflightView()
        self.senses: Senses | None = None
        self.tried: Callable[[], Mapping[readiness.Key, dict[str, Any]]] = dict
        """What was tried about the signals that count, for their evidence."""
        self.vault: Vault | None = None
        """Set before the first event; a kiosk without one keeps no picture."""

    async def run(self) -> None:
        """Work off events, oldest first, until cancelled."""
        while True:
            now = self.clock.now()
            wake_ns = wake_at(self.state, now)
            timeout_s = None if wake_ns is None else max(0.0, (wake_ns - now.mono_ns) / 1e9)
            try:
                async with asyncio.timeout(timeout_s):
                    item = await self._events.get()
            except TimeoutError:
                item = _Item(s.Tick(), None)
            await self._take(item)

    # What happens

    def post(self, event: s.Event, at_ns: int | None = None) -> None:
        """Something happened, at `at_ns` of this boot's monotonic clock or just now."""
        self._events.put_nowait(_Item(event, at_ns))

    async def tell(self, event: s.Event) -> None:
        """As `post`, but returns when it is done; raises `Refused` when it does not fit the state."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._events.put_nowait(_Item(event, None, done))
        await done

    def gesture(self, gesture: Gesture, offset_ns: int) -> None:
        """The button's word; `offset_ns` takes its monotonic time to this boot's."""
        down_ns, at_ns = gesture.down_ns + offset_ns, gesture.at_ns + offset_ns
        match gesture.kind:
            case Kind.PRESS:
                if not self.takes_press():
                    self.post(s.Pressed("button", down_ns), at_ns)
            case Kind.HOLD:
                self.post(s.Held("button", down_ns), at_ns)
            case Kind.STUCK:
                self.post(s.Stuck(down_ns, (at_ns - down_ns) // 1_000_000), at_ns)
            case Kind.FREED:
                self.post(s.Freed(), at_ns)

    def camera(self, status: CameraStatus) -> None:
        """A camera changed its state."""
        fact = s.CameraFact(
            open=status.device_open and status.state is not CameraState.CLOSED,
            giving=status.state is CameraState.OPEN,
            missing=status.state in TROUBLE and self._wanted()[0],
        )
        self.cameras.light(wanted=self._wanted()[0])
        self.post(s.CameraChanged(status.role, fact, status.detail[:80] if fact.missing else self.cameras.reason))
        if status.role == "overhead":
            self.post(s.CardsSeen(status.cards or ()))
        self.judge()

    def camera_step(self, role: str, step: Step) -> None:
        """A rung of the recovery ladder was taken."""
        level = logging.INFO if step.rung == "reopen" else logging.WARNING
        _log.log(level, "the %s camera: %s, because %s", role, step.rung, step.reason)
        self.last_steps[role] = f"{step.rung} ({step.cause})"
        data = {"role": role, "rung": step.rung, "cause": step.cause.value, "reason": step.reason[:200]}
        self.post(s.Noted("camera.recovery", data, only_in_session=True))
        self.tell_news()

    def ladder_tried(self) -> dict[readiness.Key, dict[str, Any]]:
        """What the recovery ladder did last about each camera, for the evidence of what is wrong with it."""
        return {
            (name, role): {"name": "ladder", "output": step}
            for role, step in self.last_steps.items()
            for name in ("camera.missing", "camera.frozen")
        }

    def resume_session(self, session: str | None, rows: Sequence[Row]) -> None:
        """The rows of the session that the ledger showed last."""
        self._record_id, self._session_rows = session, list(rows)

    def identify(self) -> None:
        """Show for 15 s which kiosk this is."""
        self._identify_until_ns = self.clock.now().mono_ns + _IDENTIFY_NS
        self.tell_news()

    # What is so

    def snapshot(self) -> Snapshot:
        """The kiosk now."""
        now = self.clock.now()
        shown = self.state.session or (self.state.last.session if self.state.last else None)
        record_id = shown.id if shown else None
        return Snapshot(
            at=now,
            place=self.settings.place,
            state=self.state,
            verdict=self.judgement.verdict,
            signals=self.judgement.signals,
            record=self._record(now) if record_id and record_id == self._record_id else None,
            record_id=record_id,
            link_since=self.link_since,
            cameras=self.cameras.views(),
            lamp=(self._panel.lamp if self._panel else effects.lamp_for(self.state)).value,
            camera_lamp=self.cameras.lamp_shows,
            backlog_rows=self.journal.head - self.journal.acked,
            backlog_bytes=self.backlog_bytes,
            recording=self._recording(),
            setup=self.setup,
            preflight=self.preflight,
            unwritten=self.unwritten,
            clock=self.clock.opinion,
            identify=now.mono_ns < self._identify_until_ns,
            unknown=self.senses.unknown if self.senses else {},
        )

    @property
    def has_button(self) -> bool:
        """Whether the pins of button and lamps could be had."""
        return self._panel is not None

    @property
    def foreseen(self) -> s.State:
        """The state, with what is forbidden already though the disk does not know of it yet."""
        return self._ahead or self.state

    async def changed(self, timeout_s: float) -> None:
        """Return on the next change, or after `timeout_s`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._news.wait()

    async def press(self, by: str) -> None:
        """A tap that counts as the button's press."""
        if self._panel:
            self._panel.show(Lamp.HEARD)
        await self.tell(s.Pressed(by, self.clock.now().mono_ns))

    async def hold(self, by: str) -> None:
        """A held tap."""
        await self.tell(s.Held(by, self.clock.now().mono_ns))

    async def ask(self, name: str, value: str) -> None:
        """An action of the screen; raises `Refused`."""
        await self.tell(s.Asked(name, value))

    async def picture(self, role: str) -> bytes:
        """See `CameraPair.picture`."""
        return await self.cameras.picture(role)

    async def still(self, role: str, view: View = View.PICTURE, max_bytes: int = 0) -> Still:
        """See `CameraPair.still`."""
        return await self.cameras.still(role, view, max_bytes)

    def preview(self, role: str) -> bytes | None:
        """See `CameraPair.preview`."""
        return self.cameras.preview(role)

    def judge(self) -> None:
        """Look at everything known and judge anew."""
        now, vitals = self.clock.now(), self.vitals
        power = vitals.throttling if vitals else None
        before, wanted = self.judgement, self._wanted()[0]
        self.judgement = readiness.judge(
            readiness.Facts(
                now=now,
                clock=self.clock.opinion,
                cameras=self.cameras.views() if wanted else {},
                wanted=self.cameras.specs(),
                link_up=self.state.link_up,
                in_session=self.state.session is not None,
                schedule=self.state.schedule,
                storage_free_bytes=vitals.storage_free_bytes if vitals else None,
                unwritten=self.unwritten,
                button_stuck=self.state.stuck,
                undervoltage=power.undervoltage_now if power else None,
                throttled=power.throttled_now if power else None,
                temperature_c=vitals.temperature_c if vitals else None,
                oldest_unacked_at=self.oldest_unacked_at,
                lamp_agrees=self.cameras.lamp_agrees(wanted=wanted),
                starts_last_hour=boot.within_hour(self.starts, now),
                swapped=self.cameras.swapped(now),
                overdue_booking=lateness.overdue(self.state, now),
                therapist_missing_s=lateness.therapist_missing_s(self.state, self._running_record(now), now),
                recording_bytes_per_s=self.recording_bytes_per_s,
                storage_worn_share=vitals.wear.worn_share if vitals and vitals.wear else None,
                also=self.senses.found(self.state, now) if self.senses else {},
                tried=self.tried(),
            ),
            before.watches,
        )
        self._mind_the_lamp()
        self._follow_permission(now)
        if (before.verdict, _names(before)) != (self.judgement.verdict, _names(self.judgement)):
            self.tell_news()

    # How it follows

    async def _take(self, item: _Item) -> None:
        now = self._instant(item.at_ns)
        try:
            state, facts = step(self.state, item.event, now)
        except KioskError as error:
            if item.done and not item.done.done():
                item.done.set_exception(error)
            return
        closes = not self.cameras.wanted(state, now)[0]
        if closes or permission(state, now).reason == "other-card":  # privacy does not wait for the disk
            self._ahead = state
            self._follow_permission(now)
        if closes:
            self.cameras.open(wanted=False, reason=self.cameras.reason)
        if facts:
            await self._write(facts)
        changed = state != self.state
        chime = chimes.chime_for(self.state, state, facts)
        self.state, self._ahead = state, None
        self.follow()
        if chime and self.settings.screen.tones:
            self.speaker.play(chimes.samples(chime), chimes.RATE_HZ)
        if changed or facts:
            self.judge()
            self.tell_news()
        if item.done and not item.done.done():
            item.done.set_result(None)

    async def _write(self, facts: Sequence[s.Fact]) -> None:
        for fact in facts:
            if fact.type == "session.started":
                self._record_id, self._session_rows = fact.session, []
            if fact.session is not None and fact.session == self._record_id:
                self._session_rows.append(as_row(fact, seq=1))
        try:
            await self.journal.append(facts)
        except LedgerUnwritable as error:
            self.refuse_writes(error)

    def refuse_writes(self, error: LedgerUnwritable) -> None:
        """The disk refused: what is written is kept in memory until it takes it again."""
        if not self.unwritten:
            _log.error("%s; facts are kept in memory and tried again", error)  # expected, once
            self.unwritten = True
            self.post(s.StorageChanged(ok=False))

    def follow(self) -> None:
        """Bring cameras, recording and lamps to what the state, and whoever asked for the cameras, want now."""
        wanted, reason = self._wanted()
        self._follow_permission(self.clock.now())
        self.cameras.code(wanted=wanted and self.state.phase in effects.CODED)
        self.cameras.open(wanted=wanted, reason=reason)
        if self._panel:
            self._panel.show(effects.lamp_for(self.state))

    def _mind_the_lamp(self) -> None:
        """A lamp that does not agree stops capture; one that agrees again lets it go on."""
        if self.cameras.lamp_judged(mismatch=self.judgement.names("lamp.mismatch")):
            self.follow()
        self.cameras.light(wanted=self._wanted()[0])

    def _follow_permission(self, now: Instant) -> None:
        if self.vault is not None:
            self.vault.follow(permission(self.foreseen, now), self.foreseen.session, now)

    def _recording(self) -> RecordingView:
        if self.vault is None:
            return RecordingView()
        may, held = self.vault.permission, self.vault.holdings
        trouble = self.vault.upload_trouble
        return RecordingView(may.keep.value, may.reason, held.segments, held.bytes, held.room_bytes, trouble)

    @property
    def recording_bytes_per_s(self) -> float:
        """What recording takes while bookings are held that allow it; 0 on a kiosk that records nothing."""
        held = self.state.schedule
        records = held is not None and any(one.record in {"always", "when-offline"} for one in held.bookings)
        return self.vault.bytes_per_s if self.vault and records and self.settings.recording.fleet_key else 0.0

    def _wanted(self) -> tuple[bool, str]:
        return self.cameras.wanted(self.state, self.clock.now())

    def _running_record(self, now: Instant) -> SessionRecord | None:
        session = self.state.session
        return self._record(now) if session is not None and session.id == self._record_id else None

    def _record(self, now: Instant) -> SessionRecord:
        return fold(self._session_rows, Until(now.boot, now.mono_ns))

    def _instant(self, at_ns: int | None) -> Instant:
        """The instant of an event, never before the one that was handled last."""
        now = self.clock.now()
        at = now if at_ns is None else now.earlier(min(now.mono_ns, max(at_ns, self._last_ns)))
        self._last_ns = at.mono_ns
        return at

    def tell_news(self) -> None:
        """Wake whoever waits for a change: what is shown may be out of date."""
        self._news.set()
        self._news = asyncio.Event()


def _names(judgement: readiness.Judgement) -> list[tuple[str, str | None, str, bool]]:
    return [(one.id, one.role, one.severity.value, one.outranked) for one in judgement.signals]
