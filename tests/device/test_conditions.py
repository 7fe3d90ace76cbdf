"""What is true of sound, line, certificate, software, schedule and shutters; what is unknown raises nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from device import conditions
from device.conditions import LineFacts, SoundFacts
from device.netcheck.rows import Mark, Result, Row
from device.session.clock import Instant
from wire.ledger import ClockTrust
from wire.messages import Config
from wire.schedule import Schedule

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
UPLOAD = Row("upload", "the fleet", Mark.OK, "", facts={"bps": 900_000})
PORTAL = Row("portal", "http://fleet", Mark.TROUBLE, "a captive portal", "sign in", filters=True)
CLOSED = Row("port", "fleet:443", Mark.TROUBLE, "refused")


def at(wall: datetime = NOON, trust: ClockTrust = ClockTrust.SYNCED) -> Instant:
    return Instant(10**12, wall, "boot", trust)


def names(found: conditions.Found) -> list[str]:
    return [key[0] for key in found]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (SoundFacts(), []),
        (SoundFacts(has_microphone=True, has_speaker=True, is_silent=False), []),
        (SoundFacts(has_microphone=False, has_speaker=True), ["audio.missing"]),
        (SoundFacts(has_microphone=True, has_speaker=False, is_silent=True), ["audio.missing"]),
        (SoundFacts(has_microphone=True, has_speaker=True, is_silent=True), ["audio.silent"]),
        (SoundFacts(has_microphone=True, has_speaker=True), []),
    ],
)
def test_sound(facts: SoundFacts, expected: list[str]) -> None:
    assert names(conditions.of_sound(facts)) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (LineFacts(), []),
        (LineFacts(median_ms=390.0, lost_share=0.1), []),
        (LineFacts(median_ms=410.0), ["link.poor"]),
        (LineFacts(median_ms=40.0, lost_share=0.2), ["link.poor"]),
        (LineFacts(needed_bps=800_000, result=Result((UPLOAD,))), []),
        (LineFacts(needed_bps=2_000_000, result=Result((UPLOAD,))), ["link.poor"]),
        (LineFacts(result=Result((CLOSED,))), []),
        (LineFacts(median_ms=900.0, result=Result((CLOSED, PORTAL))), ["link.poor", "link.filtered"]),
    ],
)
def test_line(facts: LineFacts, expected: list[str]) -> None:
    assert names(conditions.of_line(facts)) == expected


def test_what_filters_is_named_in_the_evidence() -> None:
    found = conditions.of_line(LineFacts(result=Result((PORTAL,))))
    assert found["link.filtered", None]["found"] == [
        {"what": "portal", "where": "http://fleet", "says": "a captive portal", "do": "sign in"}
    ]


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (timedelta(days=31), []),
        (timedelta(days=30), ["certificate.expiring"]),
        (timedelta(seconds=1), ["certificate.expiring"]),
        (timedelta(0), ["certificate.expired"]),
        (timedelta(days=-400), ["certificate.expired"]),
    ],
)
def test_certificate(left: timedelta, expected: list[str]) -> None:
    assert names(conditions.of_certificate(NOON + left, at())) == expected
    assert conditions.of_certificate(NOON + left, at(trust=ClockTrust.UNSET)) == {}, "nobody can tell"


def test_a_kiosk_without_a_certificate_takes_no_part() -> None:
    assert conditions.of_certificate(None, at()) == {}


@pytest.mark.parametrize(
    ("desired", "expected"),
    [
        (None, []),
        (Config(revision=1), []),
        (Config(revision=1, version="1.0"), []),
        (Config(revision=1, version="1.1"), ["software.behind"]),
        (Config(revision=1, version="1.1", version_by=NOON + timedelta(minutes=1)), []),
        (Config(revision=1, version="1.1", version_by=NOON), ["software.behind"]),
    ],
)
def test_software(desired: Config | None, expected: list[str]) -> None:
    assert names(conditions.of_software(desired, "1.0", at())) == expected


def test_schedule() -> None:
    held = Schedule(revision=1, as_of=NOON - timedelta(hours=24))
    assert conditions.of_schedule(None, at()) == {}
    assert conditions.of_schedule(held, at()) == {}
    late = NOON + timedelta(seconds=1)
    assert names(conditions.of_schedule(held, at(late))) == ["schedule.stale"]
    assert conditions.of_schedule(held, at(late, ClockTrust.UNSET)) == {}


def test_shutters() -> None:
    assert names(conditions.of_shutters({"front": True, "overhead": False})) == ["camera.shuttered"]
