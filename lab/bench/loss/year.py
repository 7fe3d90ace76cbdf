"""A school year on a fake clock: each session is folded from the ledger and compared with what really was.

Six sessions a day with pauses, lost links, power cuts and clock steps, and two in nights on which clocks are changed.
"""

import random
import resource
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from device.session.clock import NS_PER_MS, Instant
from device.session.ledger import Ledger
from device.session.states import Fact
from lab.bench.loss.parts import emptied
from lab.bench.loss.table import Row, Table
from wire.ledger import ClockTrust
from wire.messages import LedgerAck
from wire.minutes import fold

ZONE: Final = ZoneInfo("America/Los_Angeles")
FIRST_DAY: Final = date(2025, 9, 2)
SESSIONS_A_DAY: Final = 6
_CLOCKS_CHANGE: Final = (datetime(2025, 11, 2, 1, 50), datetime(2026, 3, 8, 1, 50))  # noqa: DTZ001  # local, see ZONE
_MS_OFF: Final = 1


@dataclass(slots=True)
class Truth:
    """What really was, in nanoseconds."""

    running: int = 0
    paused: int = 0
    power: int = 0
    buffered: int = 0

    def off_ms(self, minutes: Any) -> float:
        """By how much the fold is off at most; its parts must add up to the millisecond besides."""
        told = (minutes.running_ms, minutes.paused_ms, minutes.interrupted_ms.get("power", 0), minutes.buffered_ms)
        true = (self.running, self.paused, self.power, self.buffered)
        return float(max(abs(ours - theirs / NS_PER_MS) for ours, theirs in zip(told, true, strict=True)))


@dataclass(slots=True)
class FakeKiosk:
    """Time that passes, and a wall clock that may be wrong about it."""

    at: datetime
    chance: random.Random
    mono_ns: int = 10**10
    boots: int = 1
    wrong: timedelta = timedelta(0)
    rest_ns: int = 0
    facts: list[Fact] = field(default_factory=list)

    def now(self) -> Instant:
        return Instant(self.mono_ns, self.at + self.wrong, f"boot-{self.boots}", ClockTrust.SYNCED)

    def tell(self, type_: str, session: str, **data: Any) -> None:
        self.facts.append(Fact(type_, data, session, self.now()))

    def lasts(self, most_s: float) -> int:
        """Let up to `most_s` pass, in whole microseconds because a wall clock is told in those."""
        micros = self.chance.randint(1_000, round(most_s * 1e6))
        self.mono_ns += micros * 1_000
        self.at += timedelta(microseconds=micros)
        return micros * 1_000

    def power_cut(self, session: str) -> int:
        last = self.now()
        gap_ns = self.lasts(500.0)
        self.boots, self.mono_ns = self.boots + 1, self.chance.randint(10**9, 10**10)
        self.tell(
            "power.lost",
            session,
            boot=last.boot,
            mono_ns=last.mono_ns,
            at=last.wall.isoformat(),
            clock="synced",
            cause="power",
        )
        self.facts[-1] = Fact("power.lost", self.facts[-1].data, session, self.now())
        return gap_ns + self.lasts(6.0)


def session(kiosk: FakeKiosk, name: str) -> Truth:
    """One session; links and cameras are told anew after each boot.

    Its clock is either stepped or its power cut: how long a gap was that a lying clock has to tell, nobody can know.
    """
    truth = Truth()
    also = kiosk.chance.choice(("power", "step"))
    giving = ("overhead", "front")
    kiosk.tell("session.started", name, by="button", needs=giving, giving=giving, link_up=True, planned_ms=1_800_000)
    for _ in range(kiosk.chance.randint(2, 7)):
        truth.running += kiosk.lasts(400.0)
        match kiosk.chance.choice(("pause", "link", also)):
            case "pause":
                kiosk.tell("session.paused", name, by="button")
                truth.paused += kiosk.lasts(90.0)
                kiosk.tell("session.resumed", name, by="button")
            case "link":
                kiosk.tell("link.down", name, reason="the fleet does not answer")
                offline = kiosk.lasts(200.0)
                truth.running, truth.buffered = truth.running + offline, truth.buffered + offline
                kiosk.tell("link.up", name)
            case "power":
                truth.power += kiosk.power_cut(name)
                kiosk.tell("session.resumed", name, by="power")
                for role in giving:
                    kiosk.tell("camera.back", name, role=role, reason="opened")
                kiosk.tell("link.up", name)
            case "step":
                step = timedelta(seconds=kiosk.chance.choice((-3_600, -61, 45, 3_600)))
                kiosk.wrong += step
                kiosk.tell("clock.set", name, offset_ms=round(step.total_seconds() * 1_000), trust="synced")
                truth.running += kiosk.lasts(60.0)
    end = kiosk.now()
    kiosk.tell("session.ended", name, by="hold", boot=end.boot, mono_ns=end.mono_ns, at=end.wall.isoformat())
    kiosk.wrong = timedelta(0)
    return truth


def school_days(count: int) -> Iterator[date]:
    """The first so many."""
    day = FIRST_DAY
    while count:
        if day.weekday() < 5:
            count -= 1
            yield day
        day += timedelta(days=1)


def year(table: Table, folder: Path, days: int) -> None:
    """Live through so many school days with the product's ledger, its pruning and its fold."""
    ledger = Ledger.open(emptied(folder) / "ledger.db")
    kiosk = FakeKiosk(datetime.combine(FIRST_DAY, datetime.min.time(), ZONE).astimezone(UTC), random.Random(9))
    mornings = [datetime.combine(day, datetime.min.time(), ZONE) + timedelta(hours=9) for day in school_days(days)]
    nights = [at.replace(tzinfo=ZONE) for at in _CLOCKS_CHANGE if at.date() <= mornings[-1].date()]
    sessions = wrong = rows = pruned = 0
    worst_ms, memory_mib = 0.0, list[float]()
    most_rows = 0
    for number, begins in enumerate(sorted([*mornings, *nights], key=lambda at: at.astimezone(UTC))):
        kiosk.at = max(kiosk.at, begins.astimezone(UTC))
        kiosk.mono_ns += 3_600 * 10**9
        for _ in range(1 if begins in nights else SESSIONS_A_DAY):
            sessions += 1
            kiosk.facts = []
            truth = session(kiosk, f"y-{sessions}")
            ledger.append(kiosk.facts)
            rows += len(kiosk.facts)
            minutes = fold(ledger.session_rows(f"y-{sessions}")).minutes
            parts = minutes.running_ms + minutes.paused_ms + sum(minutes.interrupted_ms.values())
            off_ms = truth.off_ms(minutes)
            worst_ms = max(worst_ms, off_ms)
            wrong += off_ms > _MS_OFF or parts != minutes.elapsed_ms
            kiosk.lasts(1_200.0)
        batch = ledger.batch(ledger.head - 1)
        assert batch is not None
        ledger.take_ack(LedgerAck(epoch=ledger.epoch, through=ledger.head, hash=batch.rows[-1].hash))
        while deleted := ledger.prune(kiosk.now()):
            pruned += deleted
        most_rows = max(most_rows, ledger.head - pruned)
        if number % 30 == 0:
            memory_mib.append(round(_resident_mib(), 1))
    ledger.close()
    note = (
        f"{sessions} sessions, {len(nights)} nights of a clock change; off by {worst_ms:.3f} ms at most; "
        f"{pruned} rows pruned, at most {most_rows} kept; resident {memory_mib[0]} MiB at "
        f"the beginning, {memory_mib[-1]} at the end"
    )
    table.add(
        Row(
            "minutes of a school year on a fake clock",
            days,
            "school days",
            wrong,
            0,
            rows,
            note,
            samples={"resident_mib": memory_mib},
        )
    )


def _resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20
