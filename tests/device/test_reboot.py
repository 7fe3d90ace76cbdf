"""The last rung: the kiosk is restarted only where that disturbs nobody and has not just been tried."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from device.reboot import FAILED_FOR_S, UP_FOR_S, may_reboot
from device.session.clock import Instant
from device.session.states import Phase, State
from wire.ledger import ClockTrust
from wire.schedule import Booking, Schedule

S = 1_000_000_000
NOW = Instant(round(UP_FOR_S * S), datetime(2026, 3, 2, 9, tzinfo=UTC), "boot", ClockTrust.SYNCED)
LONG_AGO = NOW.mono_ns - round(FAILED_FOR_S * S)
IDLE = State(phase=Phase.IDLE)


def booked(in_minutes: float) -> State:
    start = NOW.wall + timedelta(minutes=in_minutes)
    booking = Booking(id="b-1", start=start, planned_ms=1_800_000, therapist="demo-therapist")
    return replace(IDLE, schedule=Schedule(revision=1, as_of=NOW.wall, bookings=(booking,)))


def test_with_a_camera_failed_for_minutes_and_nobody_there_it_is_done() -> None:
    assert may_reboot(IDLE, NOW, LONG_AGO)
    assert may_reboot(booked(31), NOW, LONG_AGO)


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.IDLE])
def test_never_in_a_session_nor_while_anything_else_is_going_on(phase: Phase) -> None:
    assert not may_reboot(replace(IDLE, phase=phase), NOW, LONG_AGO)


def test_not_for_a_camera_that_works_or_failed_just_now() -> None:
    assert not may_reboot(IDLE, NOW, None)
    assert not may_reboot(IDLE, NOW, LONG_AGO + 1)


def test_not_again_soon_after_a_start_that_did_not_help() -> None:
    assert not may_reboot(IDLE, replace(NOW, mono_ns=NOW.mono_ns - 1), LONG_AGO - 1)


@pytest.mark.parametrize("minutes", [29, 1, -10])
def test_not_near_a_booking(minutes: float) -> None:
    assert not may_reboot(booked(minutes), NOW, LONG_AGO)
