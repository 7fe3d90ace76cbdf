"""What is said of what was seen: unknown is not well, words come from the table, and the verdict never flatters."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.conditions import SoundFacts
from device.preflight.checks import Seen, StorageSeen, checks, family_of, signals_of, verdict
from device.preflight.settling import LOOKED_FOR_S, STEADY_S, TROUBLE_FOR_S, Settling
from device.session.clock import Instant
from device.snapshot import CameraView
from wire.ledger import ClockTrust
from wire.preflight import Check
from wire.signal_table import SIGNALS
from wire.signals import ActiveSignal, Severity, Verdict

NOW = Instant(0, datetime(2026, 11, 24, 15, 5, tzinfo=UTC), "boot-1", ClockTrust.SYNCED)
WELL = CameraView("open", 15.0, 0.03, seen=())
SEEN = Seen(
    now=NOW, judged=Verdict.READY, cameras={"overhead": WELL, "front": WELL},
    first_frame_s={"overhead": 0.41, "front": 0.4}, link_up=True, echo_ms=12.5,
    storage=StorageSeen(10**10, 2_000, 1_800, writable=True), sound=SoundFacts(True, True, False),
)  # fmt: skip


def of(seen: Seen, name: str, role: str | None = None) -> Check:
    (found,) = [one for one in checks(seen) if (one.name, one.role) == (name, role)]
    return found


def said(seen: Seen) -> Verdict:
    return verdict(seen, checks(seen))


def active(name: str, severity: Severity | None = None, role: str | None = None) -> ActiveSignal:
    return ActiveSignal(id=name, role=role, severity=severity or SIGNALS[name].severity, since=NOW.wall)


def with_camera(view: CameraView, role: str = "overhead") -> Seen:
    return replace(SEEN, cameras={**SEEN.cameras, role: view})


def sees(*conditions: str) -> CameraView:
    return replace(WELL, seen=tuple({"condition": one, "evidence": {"share": 0.9}} for one in conditions))


def test_all_well() -> None:
    assert [(one.name, one.role, one.ok, one.why) for one in checks(SEEN)] == [
        ("camera", "overhead", True, None), ("picture", "overhead", True, None),
        ("camera", "front", True, None), ("picture", "front", True, None),
        ("audio", None, True, None), ("link", None, True, None), ("storage", None, True, None),
        ("button", None, True, None), ("clock", None, True, None),
    ]  # fmt: skip
    assert said(SEEN) is Verdict.READY
    assert of(SEEN, "link").evidence == {"round_trip_ms": 12.5}
    assert of(SEEN, "camera", "overhead").evidence == {"state": "open", "fps": 15.0, "first_frame_s": 0.41}


@pytest.mark.parametrize(("seen", "name", "role", "ok", "why"), [
    (with_camera(sees("covered", "dark")), "picture", "overhead", False, "The desk camera is covered."),
    (with_camera(sees("blurred"), "front"), "picture", "front", False,
     "The picture of the front camera is not sharp."),
    (with_camera(sees("unusable")), "picture", "overhead", False, "The picture of the desk camera cannot be judged."),
    (with_camera(replace(WELL, seen=None)), "picture", "overhead", None,
     "The picture of the desk camera was not checked in time."),
    (with_camera(replace(WELL, seen=None, unchecked="the picture checks broke")), "picture", "overhead", None,
     "the picture checks broke"),
    (replace(SEEN, checked=False), "picture", "front", None, "Picture checks are switched off on this kiosk."),
    (with_camera(CameraView("missing", detail="no such device")), "camera", "overhead", False,
     "The desk camera gives no picture: no such device"),
    (with_camera(CameraView("missing")), "picture", "overhead", None,
     "There is no picture of the desk camera to look at."),
    (with_camera(CameraView("opening")), "camera", "overhead", None, "The desk camera did not open in time."),
    (replace(SEEN, sound=None), "audio", None, None, "Nothing looks at this kiosk's sound."),
    (replace(SEEN, sound=SoundFacts(False, True)), "audio", None, False,
     "The kiosk has no microphone or no loudspeaker."),
    (replace(SEEN, sound=SoundFacts(True, True, True)), "audio", None, False, "The microphone stays silent."),
    (replace(SEEN, sound=SoundFacts(True, True)), "audio", None, None,
     "The microphone is there; nobody listened to it."),
    (replace(SEEN, echo_ms=None), "link", None, None, "The fleet did not answer in time."),
    (replace(SEEN, link_up=False, echo_ms=None), "link", None, False, "The kiosk has no connection."),
    (replace(SEEN, signals=(active("link.poor"),)), "link", None, False, "The connection is weak."),
    (replace(SEEN, storage=StorageSeen(2_400_000, 2_000, 1_800)), "storage", None, False,
     "Storage lasts for 20 of the 30 planned minutes."),
    (replace(SEEN, storage=StorageSeen(None, 2_000, 1_800)), "storage", None, None,
     "The disk did not say in time what is left on it."),
    (replace(SEEN, storage=StorageSeen(10**10, 2_000, 1_800, writable=False)), "storage", None, False,
     "The kiosk cannot keep a record of a session."),
    (replace(SEEN, stuck=True), "button", None, False, "The button is stuck; the screen starts a session."),
    (replace(SEEN, has_button=False), "button", None, None,
     "No button is fitted, or its pin cannot be read; the screen starts a session."),
    (replace(SEEN, now=replace(NOW, trust=ClockTrust.UNSET)), "clock", None, False,
     "The kiosk does not know the time."),
    (replace(SEEN, now=replace(NOW, trust=ClockTrust.HELD)), "clock", None, None,
     "The clock is set, and nothing vouches for it now."),
    (replace(SEEN, signals=(active("power.undervoltage"),)), "machine", None, False, "The power supply is weak."),
    (replace(SEEN, signals=(active("camera.swapped"),)), "machine", None, False,
     "Desk and front picture are exchanged."),
])  # fmt: skip
def test_what_is_said_of_each_part(seen: Seen, name: str, role: str | None, ok: bool | None, why: str) -> None:
    found = of(seen, name, role)
    assert (found.ok, found.why) == (ok, why)


def test_one_blind_camera_is_attention_and_two_dead_ones_are_blocked() -> None:
    dead = CameraView("missing")
    assert said(with_camera(CameraView("opening"))) is Verdict.ATTENTION
    assert said(with_camera(dead)) is Verdict.ATTENTION
    assert said(replace(SEEN, cameras={"overhead": dead, "front": dead})) is Verdict.BLOCKED


def test_cameras_that_the_campus_keeps_closed_are_unknown_and_no_fault() -> None:
    closed = {"overhead": CameraView("closed"), "front": CameraView("closed")}
    seen = replace(SEEN, cameras=closed, barred="School is out.")
    assert of(seen, "camera", "front").why == "School is out."
    assert said(seen) is Verdict.UNKNOWN
    assert said(replace(seen, stuck=True)) is Verdict.ATTENTION


def test_a_cover_long_before_a_booking_is_told_and_changes_no_verdict() -> None:
    covered = with_camera(sees("covered"))
    early = replace(covered, signals=(active("camera.covered", Severity.INFO, "overhead"),))
    late = replace(covered, signals=(active("camera.covered", Severity.ATTENTION, "overhead"),))
    assert of(early, "picture", "overhead").ok is False
    assert said(early) is Verdict.READY
    assert said(late) is Verdict.ATTENTION
    assert said(covered) is Verdict.ATTENTION, "not counted yet is not counted as information"


def test_what_no_look_can_know_is_left_out() -> None:
    seen = replace(SEEN, signals=(active("session.overdue"), active("backlog.old")))
    assert [one.name for one in checks(seen)] == [one.name for one in checks(SEEN)]


@pytest.mark.parametrize("name", sorted(SIGNALS))
def test_every_signal_of_the_table_has_its_check_and_words_that_fit(name: str) -> None:
    family = family_of(name)
    if family is None:
        return
    role = "overhead" if family in {"camera", "picture"} else None
    found = of(replace(SEEN, signals=(active(name, role=role),)), family, role)
    assert (found.ok, signals_of(found)) == (False, (name,))
    assert found.why
    assert "{" not in found.why


verdicts = st.sampled_from(Verdict)
views = st.sampled_from(
    [WELL, sees("covered"), CameraView("closed"), CameraView("opening"), CameraView("missing"), CameraView("failed")]
)


@given(verdicts, views, views, st.booleans(), st.sampled_from([None, 3.0]))
def test_ready_only_where_everything_was_seen_to_be_well(
    judged: Verdict,
    overhead: CameraView,
    front: CameraView,
    up: bool,
    echo: float | None,
) -> None:
    seen = replace(SEEN, judged=judged, cameras={"overhead": overhead, "front": front}, link_up=up, echo_ms=echo)
    found = checks(seen)
    if verdict(seen, found) is Verdict.READY:
        assert judged is Verdict.READY
        assert all(one.ok is not False for one in found)
        assert all(one.ok for one in found if one.name in {"camera", "picture"})


def settles_at(views: list[tuple[float, CameraView]], until_s: float = 12.0, **args: Any) -> float | None:
    settling, step = Settling(**args), 0.1
    for n in range(round(until_s / step)):
        at_s = n * step
        if settling.see([view for since_s, view in views if since_s <= at_s][-1], at_s):
            return round(at_s, 1)
    return None


def test_a_camera_is_looked_at_for_four_seconds_of_pictures_and_longer_while_findings_change() -> None:
    opening, unseen = CameraView("opening"), replace(WELL, seen=None)
    assert settles_at([(0, opening), (0.5, unseen), (1.0, WELL)]) == pytest.approx(1.0 + LOOKED_FOR_S, abs=0.11)
    changing = settles_at([(0, WELL), (3.5, sees("blurred"))])
    assert changing == pytest.approx(3.5 + STEADY_S, abs=0.11)


def test_a_camera_in_trouble_is_given_the_time_of_a_restart() -> None:
    assert settles_at([(0, CameraView("missing"))]) == pytest.approx(TROUBLE_FOR_S, abs=0.11)
    assert settles_at([(0, CameraView("restarting")), (3.5, WELL)]) == pytest.approx(3.5 + LOOKED_FOR_S, abs=0.11)
    assert settles_at([(0, CameraView("opening"))]) is None


def test_without_picture_checks_the_first_frame_is_enough() -> None:
    assert settles_at([(0, CameraView("opening")), (0.4, replace(WELL, seen=None))], checked=False) == 0.4
