"""When the probe tone may be heard: before the first bell, on request, as the start tone; never else."""

from datetime import UTC, datetime, timedelta

import pytest

from device.audio.tones import RATE_HZ, Occasion, as_pcm, probe, refusal
from device.session.clock import Instant
from device.session.states import Phase, Session, State
from device.session.windows import first_bell
from wire.ledger import ClockTrust
from wire.schedule import Booking, Schedule, SchoolDay

BELL = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
RUNNING = Session("s", None, frozenset(), 10**18)


def at(minutes_from_bell: float, trust: ClockTrust = ClockTrust.SYNCED) -> Instant:
    return Instant(10**12, BELL + timedelta(minutes=minutes_from_bell), "boot", trust)


def booked(minutes_from_bell: float) -> Schedule:
    one = Booking(id="b-1", start=BELL + timedelta(minutes=minutes_from_bell), planned_ms=1_800_000, therapist="t-1")
    return Schedule(revision=1, as_of=BELL - timedelta(hours=8), bookings=(one,))


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (-600, "night"),
        (-121, "night"),
        (-120, None),
        (-60, None),
        (-15.1, None),
        (-15, "bell-rang"),
        (0, "bell-rang"),
        (300, "bell-rang"),
    ],
)
def test_by_itself_only_well_before_the_first_bell(minutes: float, expected: str | None) -> None:
    assert refusal(Occasion.MORNING, State(phase=Phase.IDLE), at(minutes), BELL) == expected


def test_by_itself_never_without_bells_a_clock_or_a_free_room() -> None:
    idle = State(phase=Phase.IDLE)
    assert refusal(Occasion.MORNING, idle, at(-60), None) == "no-bells"
    assert refusal(Occasion.MORNING, idle, at(-60, ClockTrust.UNSET), BELL) == "clock"
    assert refusal(Occasion.MORNING, State(phase=Phase.IDLE, schedule=booked(-50)), at(-60), BELL) == "booking"
    assert refusal(Occasion.MORNING, State(phase=Phase.IDLE, schedule=booked(-70)), at(-60), BELL) == "booking"
    assert refusal(Occasion.MORNING, State(phase=Phase.IDLE, schedule=booked(60)), at(-60), BELL) is None


def test_on_request_at_any_hour_but_not_into_a_session() -> None:
    assert refusal(Occasion.ASKED, State(phase=Phase.IDLE), at(120), None) is None
    assert refusal(Occasion.ASKED, State(phase=Phase.LIVE, session=RUNNING), at(120), None) == "in-session"


def test_as_the_start_tone_only_at_a_start() -> None:
    assert refusal(Occasion.START, State(phase=Phase.STARTING, session=RUNNING), at(120), None) is None
    assert refusal(Occasion.START, State(phase=Phase.IDLE), at(120), None) == "no-start"


@pytest.mark.parametrize("occasion", Occasion)
@pytest.mark.parametrize("phase", [Phase.PAUSED, Phase.ENDING])
def test_never_in_a_pause(occasion: Occasion, phase: Phase) -> None:
    assert refusal(occasion, State(phase=phase, session=RUNNING), at(-60), BELL) == "paused"


def test_the_probe_is_soft_at_both_ends_and_never_loud() -> None:
    tone = probe()
    assert len(tone) == RATE_HZ // 2
    assert 0.09 < max(tone) <= 0.1
    assert max(map(abs, tone[:50] + tone[-50:])) < 0.01


def test_samples_beyond_full_scale_are_cut_not_wrapped() -> None:
    assert as_pcm([0.0, 1.0, 9.0, -9.0]) == b"\x00\x00\xff\x7f\xff\x7f\x01\x80"


def test_the_first_bell_is_of_the_school_day_that_is_not_over_and_then_of_the_next() -> None:
    days = tuple(
        SchoolDay(date=f"{opens:%Y-%m-%d}", opens=opens, closes=opens + timedelta(hours=7))
        for opens in (BELL, BELL + timedelta(days=1))
    )
    held = State(phase=Phase.IDLE, schedule=Schedule(revision=1, as_of=BELL, days=days))
    for minutes, expected in ((-60, BELL), (0, BELL), (419, BELL), (420, days[1].opens), (2_000, None)):
        assert first_bell(held, at(minutes)) == expected
    assert first_bell(held, at(-60, ClockTrust.UNSET)) is None
    assert first_bell(State(phase=Phase.IDLE), at(-60)) is None
