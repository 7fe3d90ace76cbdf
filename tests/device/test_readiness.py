"""From facts to a verdict: hold times, flapping, severity, unknown evidence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.cameras.source import CameraSpec, Native
from device.readiness import LEDGER_BYTES_PER_S, Facts, Judgement, judge
from device.role_watch import RoleWatch
from device.session.clock import Instant
from device.session.trust import Opinion, Refusal, Source
from device.snapshot import CameraView
from wire.ledger import ClockTrust
from wire.schedule import Booking, Schedule
from wire.signal_table import SIGNALS
from wire.signals import Severity, Verdict

START = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
ASKED = CameraSpec("overhead", "scene:desk", 1280, 720, 15.0)
BOTH = {"overhead": CameraView("open", 15.0, 0.03), "front": CameraView("open", 30.0, 0.03)}


def at(seconds: float, trust: ClockTrust = ClockTrust.SYNCED) -> Instant:
    return Instant(round(seconds * 1e9), START + timedelta(seconds=seconds), "boot", trust)


def healthy(seconds: float) -> Facts:
    return Facts(
        now=at(seconds),
        cameras=BOTH,
        wanted={"overhead": ASKED, "front": replace(ASKED, role="front", fps=30.0)},
        link_up=True,
        storage_free_bytes=10**10,
    )


def ids(judgement: Judgement) -> set[tuple[str, str | None]]:
    return {(one.id, one.role) for one in judgement.signals}


def with_camera(facts: Facts, role: str, view: CameraView) -> Facts:
    return replace(facts, cameras={**facts.cameras, role: view})


def test_all_well_is_ready() -> None:
    found = judge(healthy(0), {})
    assert (found.verdict, found.signals) == (Verdict.READY, ())


def test_a_missing_camera_counts_after_its_hold_and_clears_after_its_own() -> None:
    gone = CameraView("missing", detail="no such file")
    first = judge(with_camera(healthy(0), "front", gone), {})
    assert first.verdict is Verdict.READY
    second = judge(with_camera(healthy(1.0), "front", gone), first.watches)
    assert ids(second) == {("camera.missing", "front")}
    assert second.verdict is Verdict.ATTENTION
    assert second.signals[0].evidence["detail"] == "no such file"
    back = judge(healthy(1.5), second.watches)
    assert ids(back) == {("camera.missing", "front")}
    assert judge(healthy(2.6), back.watches).signals == ()


def test_both_cameras_missing_block() -> None:
    gone = {role: CameraView("missing") for role in BOTH}
    first = judge(replace(healthy(0), cameras=gone), {})
    found = judge(replace(healthy(2), cameras=gone), first.watches)
    assert found.verdict is Verdict.BLOCKED
    assert {one.severity for one in found.signals} == {Severity.BLOCKED}


def test_flapping_faster_than_the_hold_never_counts() -> None:
    found = Judgement(Verdict.READY)
    for tick in range(40):
        view = CameraView("stalled") if tick % 2 else BOTH["front"]
        found = judge(with_camera(healthy(tick * 0.5), "front", view), found.watches)
        assert found.verdict is Verdict.READY


def test_a_link_that_is_down_is_information_until_a_booking_is_near() -> None:
    down = replace(healthy(0), link_up=False)
    found = judge(down, {})
    assert [(one.id, one.severity) for one in found.signals] == [("link.down", Severity.INFO)]
    assert found.verdict is Verdict.READY
    booking = Booking(id="b-1015", start=START + timedelta(minutes=29), planned_ms=1_800_000, therapist="ot-3")
    near = replace(down, schedule=Schedule(revision=1, as_of=START, bookings=(booking,)))
    assert judge(near, {}).verdict is Verdict.ATTENTION


def test_storage_speaks_of_the_worst_only() -> None:
    for free, expected in ((10**9, set()), (10**7, {("storage.low", None)}), (10**5, {("storage.critical", None)})):
        first = judge(replace(healthy(0), storage_free_bytes=free), {})
        assert ids(judge(replace(healthy(30), storage_free_bytes=free), first.watches)) == expected


def test_a_refused_write_blocks_at_once() -> None:
    assert judge(replace(healthy(0), unwritten=True), {}).verdict is Verdict.BLOCKED


def test_slow_frames_are_named_with_figures() -> None:
    slow = with_camera(healthy(0), "overhead", CameraView("open", 9.0, 0.1))
    first = judge(slow, {})
    found = judge(replace(slow, now=at(9)), first.watches)
    assert found.signals[0].evidence == {"fps": 9.0, "wanted_fps": 15.0}


def settled(facts: Facts) -> Judgement:
    """What is so once every hold time is over."""
    return judge(replace(facts, now=at(60)), judge(facts, {}).watches)


def test_a_camera_that_gives_less_than_asked_is_used_with_its_real_figures_shown() -> None:
    small = CameraView("open", 15.0, 0.03, native=Native(640, 480, 15.0, "MJPG"))
    (one,) = settled(with_camera(healthy(0), "overhead", small)).signals
    assert (one.id, one.severity) == ("camera.small", Severity.ATTENTION)
    assert one.evidence == {"gives": "640x480 MJPG", "asked": "1280x720"}
    large = CameraView("open", 15.0, 0.03, native=Native(1920, 1080, 15.0, "MJPG"))
    assert settled(with_camera(healthy(0), "overhead", large)).verdict is Verdict.READY


def test_what_the_picture_checks_see_is_named_and_only_of_an_open_camera() -> None:
    seen = ({"condition": "covered", "evidence": {"mean": 3.0}},)
    covered = CameraView("open", 30.0, 0.03, seen=seen)
    (one,) = settled(with_camera(healthy(0), "front", covered)).signals
    assert (one.id, one.role, one.evidence) == ("camera.covered", "front", {"mean": 3.0})
    closed = CameraView("closed", seen=seen)
    assert settled(with_camera(healthy(0), "front", closed)).signals == ()
    unknown = CameraView("open", 30.0, 0.03, seen=({"condition": "haunted", "evidence": {}},))
    assert settled(with_camera(healthy(0), "front", unknown)).signals == ()


def test_a_covered_lens_is_only_told_of_long_before_a_booking_and_matters_near_one_and_in_a_session() -> None:
    seen = ({"condition": "covered", "evidence": {}},)
    covered = with_camera(healthy(0), "overhead", CameraView("open", 15.0, 0.03, seen=seen))

    def severity(minutes: float | None, *, in_session: bool = False) -> Severity:
        bookings: tuple[Booking, ...] = ()
        if minutes is not None:
            start = at(60).wall + timedelta(minutes=minutes)
            bookings = (Booking(id="b-1", start=start, planned_ms=1_800_000, therapist="demo-therapist"),)
        schedule = Schedule(revision=1, as_of=START, bookings=bookings)
        (one,) = settled(replace(covered, schedule=schedule, in_session=in_session)).signals
        return one.severity

    assert settled(covered).signals[0].severity is Severity.ATTENTION, "nobody knows of a booking: it may be now"
    assert severity(None) is Severity.INFO
    assert severity(11) is Severity.INFO
    assert severity(9.9) is Severity.ATTENTION
    assert severity(-5) is Severity.ATTENTION
    assert severity(-31) is Severity.INFO
    assert severity(None, in_session=True) is Severity.ATTENTION


def test_a_mat_that_was_there_and_is_gone_is_named_unless_the_picture_itself_is_at_fault() -> None:
    gone = {"markers": 1.0, "missing_s": 4.2, "expected": 1.0}
    bare = CameraView("open", 15.0, 0.03, mat=gone)
    (one,) = settled(with_camera(healthy(0), "overhead", bare)).signals
    assert (one.id, one.role, one.evidence) == ("mat.not_in_frame", "overhead", {"markers": 1.0, "missing_s": 4.2})
    for well in ({**gone, "missing_s": 2.9}, {**gone, "expected": 0.0}, None):
        assert settled(with_camera(healthy(0), "overhead", replace(bare, mat=well))).signals == ()
    dark = replace(bare, seen=({"condition": "dark", "evidence": {}},))
    assert ids(settled(with_camera(healthy(0), "overhead", dark))) == {("camera.dark", "overhead")}
    assert settled(with_camera(healthy(0), "front", replace(bare, fps=30.0))).signals == ()


def test_cameras_that_hold_each_others_roles_are_named_after_some_looks() -> None:
    watch, sees, blind = RoleWatch(), {"markers": 4.0, "tilt": 0.1}, {"markers": 0.0}
    told = [watch.swapped({"overhead": blind, "front": sees}, at(second / 4)) for second in range(4, 44)]
    assert not any(told[:12]), "one odd look, or three, exchange nothing"
    assert told[-1], "within ten seconds"
    facts = replace(healthy(0), swapped=True)
    assert ids(settled(facts)) == {("camera.swapped", None)}
    back = [watch.swapped({"overhead": sees, "front": blind}, at(second)) for second in range(20, 30)]
    assert not back[-1]


def test_a_failed_camera_is_missing_and_a_restart_is_proposed() -> None:
    (one,) = settled(with_camera(healthy(0), "front", CameraView("failed", detail="gone"))).signals
    assert (one.id, one.evidence["proposal"]) == ("camera.missing", "restart the kiosk")


def test_storage_lasts_less_long_where_sessions_are_recorded() -> None:
    facts = replace(healthy(0), storage_free_bytes=LEDGER_BYTES_PER_S * 3 * 3600)
    assert settled(facts).signals == ()
    assert {one.id for one in settled(replace(facts, recording_bytes_per_s=LEDGER_BYTES_PER_S)).signals} == {
        "storage.low"
    }
    assert {one.id for one in settled(replace(facts, recording_bytes_per_s=750_000.0)).signals} == {"storage.critical"}


def test_a_card_near_its_end_is_named() -> None:
    assert settled(replace(healthy(0), storage_worn_share=0.89)).signals == ()
    assert ids(settled(replace(healthy(0), storage_worn_share=0.93))) == {("storage.worn", None)}


def test_an_unset_clock_is_seen() -> None:
    unset = replace(healthy(0), now=at(0, ClockTrust.UNSET))
    found = judge(replace(unset, now=at(6, ClockTrust.UNSET)), judge(unset, {}).watches)
    assert ids(found) == {("clock.unset", None)}


def opinion(trust: ClockTrust, source: Source, **more: Any) -> Opinion:
    return Opinion(at(0).wall, trust, source, **more)


def test_t4_a_clock_that_no_source_vouches_for_is_told_after_ten_minutes_and_keeps_nobody_waiting() -> None:
    facts = replace(healthy(0), clock=opinion(ClockTrust.HELD, Source.MACHINE))
    soon = judge(replace(facts, now=at(599, ClockTrust.HELD)), {})
    assert soon.watches == {}
    begun = judge(replace(facts, now=at(600, ClockTrust.HELD)), soon.watches)
    found = judge(replace(facts, now=at(606, ClockTrust.HELD)), begun.watches)
    assert ids(found) == {("clock.unset", None)}
    assert found.verdict is Verdict.READY
    assert found.signals[0].evidence["trust"] == "held"


def test_t5_a_clock_that_is_refused_or_off_is_told_with_what_to_do() -> None:
    refused = opinion(ClockTrust.HELD, Source.CARRIED, refused=Refusal.JUMPED, shows=at(0).wall + timedelta(days=1825))
    found = settled(replace(healthy(0), clock=refused))
    assert ids(found) == {("clock.drift", None)}
    evidence = found.signals[0].evidence
    assert evidence["refused"] == "jumped"
    assert evidence["beside_s"] == 1825 * 86_400
    assert "NTP" in evidence["do"]
    assert "48 h" in evidence["because"]


@pytest.mark.parametrize(("off_s", "error_s", "told"), [(2.6, 0.5, True), (2.4, 0.5, False), (-30, 1, True)])
def test_drift_is_told_beyond_doubt_only(off_s: float, error_s: float, told: bool) -> None:
    seen = opinion(ClockTrust.SYNCED, Source.NTP, off=timedelta(seconds=off_s), off_error=timedelta(seconds=error_s))
    assert (settled(replace(healthy(0), clock=seen)).signals != ()) is told


def test_what_is_unknown_raises_nothing() -> None:
    nothing = Facts(now=at(0), link_up=True)
    found = judge(replace(nothing, now=at(100)), judge(nothing, {}).watches)
    assert found.signals == ()


@given(
    st.lists(
        st.tuples(
            st.floats(0.1, 20),
            st.sampled_from(["open", "missing", "stalled"]),
            st.booleans(),
            st.booleans(),
            st.booleans(),
        ),
        max_size=30,
    )
)
def test_every_signal_held_its_time_before_it_counted(
    story: list[tuple[float, str, bool, bool, bool]],
) -> None:
    found, now_s = Judgement(Verdict.UNKNOWN), 0.0
    true_since: dict[tuple[str, str | None], float] = {}
    for wait_s, camera, link, stuck, unwritten in story:
        now_s += wait_s
        facts = replace(
            with_camera(healthy(now_s), "front", CameraView(camera, 30.0 if camera == "open" else None)),
            link_up=link, button_stuck=stuck, unwritten=unwritten,
        )  # fmt: skip
        found = judge(facts, found.watches)
        for key, is_true in {
            ("camera.missing", "front"): camera != "open",
            ("button.stuck", None): stuck,
            ("storage.readonly", None): unwritten,
        }.items():
            if is_true:
                true_since.setdefault(key, now_s)
                held = now_s - true_since[key] >= SIGNALS[key[0]].hold_s
                assert (key in ids(found)) or not held
            else:
                true_since.pop(key, None)
        assert found.verdict is not Verdict.UNKNOWN


def test_pictures_that_nobody_can_judge_are_never_ready() -> None:
    for view in (
        replace(BOTH["front"], seen=({"condition": "unusable", "evidence": {}},)),
        replace(BOTH["front"], seen=None, unchecked="the picture checks broke: IndexError"),
    ):
        first = judge(with_camera(healthy(0), "front", view), {})
        found = judge(with_camera(healthy(1), "front", view), first.watches)
        assert found.verdict is Verdict.ATTENTION
        assert ids(found) == {("camera.missing", "front")}
