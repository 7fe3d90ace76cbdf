"""A room with a kiosk in it, for tests of the screen: the real session machine and the real fold, driven by hand."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from device.session import states as s
from device.session.clock import NS_PER_MS, NS_PER_S, Instant
from device.session.ledger import as_row
from device.session.machine import step, wake_at
from device.session.states import CameraFact, Phase, State
from device.snapshot import CameraView, Place, PreflightView, RecordingView, Snapshot
from wire.ledger import ClockTrust, Row
from wire.minutes import Until, fold
from wire.preflight import Check, Preflight
from wire.schedule import Booking, Schedule, Settled
from wire.signal_table import SIGNALS
from wire.signals import ActiveSignal, Severity, Verdict, ranked, verdict

MORNING: Final = datetime(2026, 11, 23, 16, 7, tzinfo=UTC)
"""10:07 on a Monday in Chicago."""
PLACE: Final = Place("maple-12", "maple", "Room 12", "214", "555 0134", "America/Chicago")
FOX, BOAT, KITE = 10, 11, 13
CARDS: Final = {FOX: "s-0418", BOAT: "s-0502", KITE: "s-0777"}
_OPEN: Final = CameraView("open", 30.0, 0.05, 4242)


def booking(name: str, start: str, minutes: int = 30, **more: object) -> Booking:
    """A booking on the Monday at `start`, Chicago time."""
    hour, minute = map(int, start.split(":"))
    day = datetime(2026, 11, 23, tzinfo=UTC) + timedelta(hours=6 + hour, minutes=minute)
    told = {"therapist": "ot-rivera", "students": ("s-0418",), **more}
    return Booking.model_validate({"id": name, "start": day, "planned_ms": minutes * 60_000, **told})


class Room:
    """What happens in it is said in its own words; `snapshot()` is what the screen gets."""

    def __init__(
        self, *bookings: Booking, place: Place = PLACE, at: datetime = MORNING, settled: tuple[Settled, ...] = ()
    ) -> None:
        self.place, self.state, self.rows = place, State(time_zone=place.time_zone), list[Row]()
        self.now = Instant(600 * NS_PER_S, at, "boot-1", ClockTrust.SYNCED)
        self.views = {"overhead": _OPEN, "front": _OPEN}
        self.signals: tuple[ActiveSignal, ...] = ()
        self.judged = True
        self.link_since: datetime | None = at - timedelta(minutes=9)
        self.backlog = 0
        self.unwritten = self.identify = False
        self.recording = RecordingView()
        self.writes = False
        self.preflight = PreflightView()
        self._bookings, self._settled = bookings, settled

    def boot(self, found: s.OpenSession | None = None) -> "Room":
        """The kiosk is up, its link is up, both cameras give pictures."""
        done = {str(row.data["booking"]) for row in self.rows if row.type == "session.started" and row.data["booking"]}
        self.happens(s.Booted("0.1.0", found, frozenset(done)))
        if self._bookings or self._settled:
            held = Schedule(
                revision=1, as_of=self.now.wall, bookings=self._bookings, cards=CARDS, settled=self._settled
            )
            self.happens(s.ScheduleSet(held))
        self.happens(s.LinkChanged(up=True))
        if self.state.phase is Phase.IDLE:
            self.pictures()
        return self

    def happens_first(self) -> "Room":
        """The kiosk is up and has heard of nothing yet."""
        self.link_since = None
        return self.happens(s.Booted("0.1.0"))

    def happens(self, event: s.Event) -> "Room":
        self.state, facts = step(self.state, event, self.now)
        self.rows += [as_row(fact, len(self.rows) + at) for at, fact in enumerate(facts, 1)]
        return self

    def passes(self, seconds: float) -> "Room":
        """Time passes; the machine is woken whenever it asked to be."""
        until = self.now.mono_ns + round(seconds * NS_PER_S)
        while (wake := wake_at(self.state, self.now)) is not None and wake <= until:
            self._to(max(wake, self.now.mono_ns + NS_PER_MS))
            self.happens(s.Tick())
        self._to(until)
        return self

    def press(self) -> "Room":
        return self.happens(s.Pressed("button", self.now.mono_ns))

    def hold(self) -> "Room":
        return self.happens(s.Held("button", self.now.mono_ns - 2 * NS_PER_S))

    def start(self) -> "Room":
        """Press, and go on until pauses count."""
        return self.press().pictures().passes(6)

    def pictures(self, *roles: str, state: str = "open") -> "Room":
        """The cameras give pictures, or are `closed`, `missing` …"""
        for role in roles or ("overhead", "front"):
            fact = CameraFact(state == "open", state == "open", state == "missing")
            self.happens(s.CameraChanged(role, fact, "test"))
            self.views[role] = _OPEN if state == "open" else CameraView(state, None, 750.0, 4242)
        return self

    def lay(self, *cards: int) -> "Room":
        """These picture cards lie on the desk from now on."""
        return self.happens(s.CardsSeen(cards))

    def network(self, *, up: bool) -> "Room":
        self.link_since = self.now.wall
        return self.happens(s.LinkChanged(up=up))

    def records(self, keep: str = "all", reason: str = "always") -> "Room":
        """Pictures are kept from now on; 20 segments lie on the disk already."""
        self.recording = RecordingView(keep, reason, 20, 220_000_000, 15_000_000_000)
        self.writes = keep == "all"
        return self

    def wrong(self, name: str, role: str | None = None, severity: Severity | None = None) -> "Room":
        """A signal counts from now on."""
        severity = severity or SIGNALS[name].severity
        one = ActiveSignal(id=name, role=role, severity=severity, since=self.now.wall, evidence={"seen": 1})
        self.signals = ranked([*self.signals, one])
        return self

    def looks(self) -> "Room":
        """The kiosk looks itself over."""
        self.preflight = PreflightView(looking=True)
        return self

    def looked(self, *checks: Check) -> "Room":
        """It has, and its cameras are closed again."""
        verdict_ = Verdict.ATTENTION if any(one.ok is False for one in checks) else Verdict.READY
        told = Preflight(at=self.now.wall, took_ms=5_200, booking="b-10", verdict=verdict_, checks=checks)
        self.preflight = PreflightView(last=told)
        return self.pictures(state="closed")

    def power_cut(self, gap_s: float, trust: ClockTrust | None = None) -> "Room":
        """The power goes, and comes back after `gap_s`, with a clock that is believed as before or by `trust`."""
        session, last = self.state.session, self.now
        assert session is not None
        planned = None
        if session.planned_end_ns is not None:
            planned = last.wall + timedelta(microseconds=(session.planned_end_ns - last.mono_ns) / 1_000)
        found = s.OpenSession(
            session.id, session.booking, session.needs, last, 60_000, planned, self.state.phase is Phase.PAUSED
        )
        self.now = Instant(20 * NS_PER_S, last.wall + timedelta(seconds=gap_s), "boot-2", trust or last.trust)
        self.state = State(time_zone=self.place.time_zone)
        return self.boot(found)

    def snapshot(self) -> Snapshot:
        state = self.state
        last = state.last.session if state.last else None
        shown = state.session or last
        record_id = shown.id if shown else None
        rows = [row for row in self.rows if row.session == record_id]
        return Snapshot(
            at=self.now,
            place=self.place,
            state=state,
            verdict=verdict(self.signals) if self.judged else Verdict.UNKNOWN,
            signals=self.signals,
            record=fold(rows, Until(self.now.boot, self.now.mono_ns)) if rows else None,
            record_id=record_id,
            link_since=self.link_since,
            cameras=written(self.views) if self.writes else self.views,
            lamp="running" if state.session else "off",
            camera_lamp=any(one.open for one in state.cameras.values()),
            backlog_rows=self.backlog,
            backlog_bytes=self.backlog * 200,
            recording=self.recording,
            preflight=self.preflight,
            unwritten=self.unwritten,
            identify=self.identify,
        )

    def therapist(self, *, there: bool) -> Snapshot:
        """The snapshot of a kiosk that can know whether the therapist is there."""
        found = self.snapshot()
        assert found.record is not None
        spans = tuple(span.model_copy(update={"therapist": there}) for span in found.record.spans)
        return replace(found, record=found.record.model_copy(update={"spans": spans}))

    def _to(self, mono_ns: int) -> None:
        self.now = replace(
            self.now, mono_ns=mono_ns, wall=self.now.wall + timedelta(microseconds=(mono_ns - self.now.mono_ns) / 1_000)
        )


def written(views: Mapping[str, CameraView]) -> dict[str, CameraView]:
    """The cameras while each is writing a segment."""
    return {role: replace(one, segment=one.segment or f"{role}-segment") for role, one in views.items()}
