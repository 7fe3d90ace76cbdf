"""What is said of a booking before, during and after it: never the last good verdict past its limit."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.clock import Instant
from fleet.forecast import Forecast, Held, Overdue, Phase, forecast
from fleet.planning import Attending, Plan, State
from fleet.presence import Presence, sign
from fleet.roll import Entry
from fleet.sights import VERDICT_LIMIT_S
from wire.messages import Readiness
from wire.minutes import Minutes
from wire.preflight import Check, Preflight
from wire.signals import ActiveSignal, Severity, Verdict, verdict

T0 = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
START = T0 + timedelta(minutes=15)
GOOD_LOOK = (Check(name="camera", role="overhead", ok=True), Check(name="picture", role="overhead", ok=True))


def now(minutes: float = 0) -> Instant:
    return Instant(10_000 + minutes * 60, T0 + timedelta(minutes=minutes))


def plan(**told: Any) -> Plan:
    made: dict[str, Any] = {
        "id": "b-1", "campus": "lincoln", "room": "lincoln-12", "therapist": "th-lane", "start": START,
        "planned": timedelta(minutes=30), "attending": (Attending("s-0418"),),
    }  # fmt: skip
    return Plan(**{**made, **told})


def signal(id_: str, role: str | None = None, severity: Severity = Severity.ATTENTION) -> ActiveSignal:
    return ActiveSignal(id=id_, role=role, severity=severity, since=T0)


def look(at: Instant, *checks: Check) -> Preflight:
    bad = any(one.ok is False for one in checks)
    return Preflight(at=at.at, took_ms=4_000, verdict=Verdict.ATTENTION if bad else Verdict.READY, checks=checks)


def entry(
    heard: Instant,
    *signals: ActiveSignal,
    state: str = "idle",
    preflight: Preflight | None = None,
    open_: tuple[str, ...] = (),
    trip_ms: float | None = 30,
) -> Entry:
    """A kiosk that was last heard, and last said how it is, at `heard`."""
    presence = sign(Presence(listening=Instant(0, T0 - timedelta(hours=2))), heard)
    said = Readiness(verdict=verdict(signals), signals=signals, at=heard.at, state=state, preflight=preflight)
    cameras = {role: {"state": "open" if role in open_ else "closed"} for role in ("overhead", "front")}
    health = {"link_round_trip_ms": trip_ms, "cameras": cameras}
    return Entry(
        "lincoln-12", "lincoln", heard, presence, readiness=said, readiness_at=heard, health=health, health_at=heard
    )


def held(state: str = "running", started: datetime | None = START, connected_ms: int | None = None) -> Held:
    minutes = Minutes(elapsed_ms=1_500_000, running_ms=1_500_000, connected_ms=connected_ms)
    return Held("x", "lincoln-12", state, started, minutes, T0 - timedelta(hours=2))


def told(at: Instant, of: Entry | None, what: Plan | None = None, session: Held | None = None) -> Forecast:
    return forecast(what or plan(), "lincoln-12", of, session, at, UTC)


def test_ready_says_what_was_seen_and_when_it_looks_again() -> None:
    found = told(now(-50), entry(now(-50), preflight=look(now(-55), *GOOD_LOOK)))
    assert (found.verdict, found.reasons, found.needs) == (Verdict.READY, ("Page readable, connection good.",), ())
    assert found.evidence_at == now(-55).at, "with closed cameras the evidence is as old as the look through them"
    assert found.next_look_at == START - timedelta(minutes=30)
    assert told(now(14), entry(now(14))).next_look_at is None


def test_open_cameras_are_evidence_of_now() -> None:
    found = told(now(), entry(now(), preflight=look(now(-20), *GOOD_LOOK), open_=("overhead", "front")))
    assert (found.reasons, found.evidence_at) == (("Page readable, connection good.",), now().at)


def test_nothing_is_claimed_of_cameras_that_nobody_looked_through() -> None:
    found = told(now(), entry(now(), trip_ms=None))
    assert found.reasons == ("It finds nothing wrong; its cameras are closed and were not looked through yet.",)
    untold = entry(now())._replace(health=None, health_at=None)
    assert told(now(), untold).reasons == ("It finds nothing wrong.",), "nor whether they are closed"
    old = told(now(), entry(now(), preflight=look(now(-121), *GOOD_LOOK), trip_ms=None))
    assert old.reasons == found.reasons, "a look of two hours ago is no evidence"


def test_a_covered_lens_is_said_with_what_to_do() -> None:
    found = told(now(2), entry(now(2), signal("camera.covered", "overhead")))
    assert (found.verdict, found.reasons) == (Verdict.ATTENTION, ("The desk camera is covered.",))
    assert found.needs == ("Lift off what covers the desk camera.",)


def test_what_a_look_found_counts_while_that_camera_is_closed() -> None:
    bad = look(now(-30), Check(name="picture", role="overhead", ok=False, why="The desk camera is covered."))
    closed = told(now(), entry(now(), preflight=bad))
    assert (closed.verdict, closed.reasons) == (Verdict.ATTENTION, ("Checked 09:30: the desk camera is covered.",))
    assert told(now(), entry(now(), preflight=bad, open_=("overhead",))).verdict is Verdict.READY
    assert told(now(), entry(now(), preflight=bad, open_=("front",))).verdict is Verdict.ATTENTION


def test_what_is_blocked_is_blocked() -> None:
    found = told(now(), entry(now(), signal("storage.readonly", severity=Severity.BLOCKED), signal("camera.dark")))
    assert found.verdict is Verdict.BLOCKED
    assert found.reasons[0] == "The kiosk cannot keep a record of a session."


def test_what_somebody_suppressed_is_no_reason() -> None:
    of = entry(now(), signal("camera.dark", "front"), open_=("overhead",))
    found = forecast(plan(), "lincoln-12", of, None, now(), UTC, {("camera.dark", "front")})
    assert (found.verdict, found.reasons) == (Verdict.READY, ("Page readable, connection good.",))


def test_silence_is_told_as_silence() -> None:
    quiet = told(now(2), entry(now(), state="live"), session=held())
    assert quiet.verdict is Verdict.UNKNOWN
    assert quiet.reasons == ("Not heard from since 10:00. It was in session; it keeps its own record.",)
    assert (quiet.evidence, quiet.evidence_at, quiet.in_session) == ("last heard", now().at, True)
    assert told(now(), None).reasons == ("Never heard from.",)
    nobody = forecast(plan(), None, None, None, now(), UTC)
    assert (nobody.verdict, nobody.reasons) == (Verdict.BLOCKED, ("No kiosk stands in this room.",))


def test_a_start_without_a_press_and_a_press_without_a_therapist() -> None:
    assert told(now(17.9), entry(now(17.9))).overdue is None
    late = told(now(18), entry(now(18)))
    assert (late.overdue, late.phase, late.verdict) == (Overdue.START, Phase.DUE, Verdict.ATTENTION)
    assert late.reasons[0] == "It should have begun at 10:15, 3 min ago; nobody has pressed."
    assert told(now(18), entry(now(18)), plan(late_min=10)).overdue is None, "the therapist said so"
    waits = told(now(18), entry(now(18), state="live"), session=held(connected_ms=0))
    assert (waits.overdue, waits.phase) == (Overdue.THERAPIST, Phase.RUNNING)
    assert told(now(18), entry(now(18), state="live"), session=held()).overdue is None, "nobody can know"
    assert told(now(18), entry(now(18), state="live"), session=held(connected_ms=5_000)).overdue is None


def test_what_the_kiosk_says_of_it_too_is_said_once() -> None:
    late = told(now(18), entry(now(18), signal("session.overdue")))
    assert late.reasons == ("It should have begun at 10:15, 3 min ago; nobody has pressed.",)
    assert late.needs == ("Somebody in the room presses the button.",)
    waits = told(now(16), entry(now(16), signal("therapist.absent"), state="live"), session=held())
    assert (waits.overdue, len(waits.reasons)) == (Overdue.THERAPIST, 1)


def test_after_it_is_over() -> None:
    of = entry(now(60))
    assert told(now(60), of).reasons == ("Nobody pressed the button.",)
    assert told(now(60), of).phase is Phase.MISSED
    assert told(now(60), entry(now())).reasons[0].startswith("No session of it is known here; the kiosk is not heard")
    fell = told(now(60), of, plan(state=State.SETTLED, reason="student-absent"))
    assert (fell.phase, fell.reasons) == (Phase.FELL, ("Not held: the student was absent.",))
    done = told(now(60), of, session=held("ended"))
    assert (done.phase, done.reasons) == (Phase.HELD, ("Held, 25 min. It began at 10:15.",))
    assert told(now(60), of, session=held("cancelled")).phase is Phase.MISSED


def test_another_session_at_the_kiosk_is_said() -> None:
    found = told(now(16), entry(now(16), state="live"))
    assert found.reasons[0] == "Another session still runs at this kiosk."
    assert found.overdue is None


@given(
    silence_s=st.floats(0, 10_000),
    before_min=st.floats(-120, 60),
    state=st.sampled_from(["idle", "live", "paused", "buffering", "booting", "something new"]),
    severity=st.sampled_from([None, *Severity]),
    late_min=st.sampled_from([None, 5, 10, 15]),
    session=st.sampled_from([None, "running", "ended", "cancelled", "unknown"]),
    looked_min=st.one_of(st.none(), st.floats(-300, 300)),
)
def test_it_always_says_something_true(
    silence_s: float,
    before_min: float,
    state: str,
    severity: Severity | None,
    late_min: int | None,
    session: str | None,
    looked_min: float | None,
) -> None:
    at = now(before_min)
    heard = Instant(at.mono_s - silence_s, at.at - timedelta(seconds=silence_s))
    signals = () if severity is None else (signal("camera.dark", "front", severity),)
    seen = None if looked_min is None else look(now(looked_min), *GOOD_LOOK)
    of = entry(heard, *signals, state=state, preflight=seen)
    found = told(at, of, plan(late_min=late_min), None if session is None else held(session))
    assert found.reasons
    assert all(found.reasons), "words first"
    assert found.evidence_at is None or found.evidence_at <= at.at + timedelta(minutes=2)
    if found.verdict is Verdict.READY:
        assert silence_s <= VERDICT_LIMIT_S, "never the last good one past its limit"
        assert found.needs == ()
        assert found.overdue is None
    if found.verdict in {Verdict.ATTENTION, Verdict.BLOCKED}:
        assert found.needs or severity is None
    if found.phase in {Phase.COMING, Phase.DUE, Phase.RUNNING} and silence_s > VERDICT_LIMIT_S:
        assert found.verdict is Verdict.UNKNOWN
    if found.next_look_at is not None:
        assert at.at < found.next_look_at < START


@pytest.mark.parametrize("trip", [(149.0, "good"), (150.0, "fair"), (400.0, "slow"), (None, "unknown")])
def test_the_link_by_its_round_trip(trip: tuple[float | None, str]) -> None:
    assert told(now(), entry(now(), trip_ms=trip[0])).link.word == trip[1]
    assert told(now(), entry(now(), signal("link.poor"), trip_ms=trip[0])).link.word == "poor"
