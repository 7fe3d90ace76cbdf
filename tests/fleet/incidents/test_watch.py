"""The watch over a real store: what kiosks say and do not say becomes incidents and notices, also over a restart."""

from datetime import timedelta
from pathlib import Path

import pytest

from fleet import answering
from fleet.access.roles import Principal, Role
from fleet.errors import StoreDown
from fleet.incidents import Incident, State
from fleet.notices import Channel, Kind
from fleet.own_signals import HELP_ADULT, HELP_OTHER, SILENT
from fleet.store import notices as outbox
from fleet.store import readiness_days
from fleet.tally import score
from tests.fleet.incidents.desk import ALWAYS, breaks, held, passes, recovers, route, signal, timeline, told
from tests.fleet.world import Fleet, HandClock, Kiosk, running_fleet
from wire.signals import Severity, Verdict

_ALL = Principal("ida", Role.IT, None)


def test_a_signal_opens_one_incident_with_its_evidence_and_resolves_it(fleet: Fleet, kiosk: Kiosk) -> None:
    fleet.look(kiosk.is_born(), kiosk.is_ready())
    assert held(fleet) == []
    breaks(fleet, kiosk)
    breaks(fleet, kiosk)
    [one] = held(fleet)
    assert (one.kiosk, one.campus, one.key) == ("lincoln-12", "lincoln", ("camera.covered", "overhead"))
    assert (one.state, one.evidence) == (State.OPEN, {"share": 0.99})
    fleet.clock.pass_(60)
    recovers(fleet, kiosk)
    [over] = held(fleet)
    assert (over.id, over.state) == (one.id, State.RESOLVED)
    assert timeline(fleet, one.id) == ["opened", "resolved"]


def test_one_for_each_role_and_none_for_what_is_held_back_or_only_good_to_know(fleet: Fleet, kiosk: Kiosk) -> None:
    breaks(
        fleet,
        kiosk,
        signal(),
        signal(role="front"),
        signal("camera.blurred", outranked=True),
        signal("link.down", None, severity=Severity.INFO),
    )
    assert {one.key for one in held(fleet)} == {("camera.covered", "overhead"), ("camera.covered", "front")}


def test_what_a_stronger_signal_holds_back_stays_open(fleet: Fleet, kiosk: Kiosk) -> None:
    breaks(fleet, kiosk, signal("camera.blurred"))
    breaks(fleet, kiosk, signal(), signal("camera.blurred", outranked=True))
    assert [one.state for one in held(fleet)] == [State.OPEN, State.OPEN]
    breaks(fleet, kiosk, signal())
    assert sorted(one.state.value for one in held(fleet)) == ["open", "resolved"]


def test_a_kiosk_that_falls_silent_is_an_incident_and_what_it_said_before_stays(fleet: Fleet, kiosk: Kiosk) -> None:
    fleet.look(kiosk.is_born())
    breaks(fleet, kiosk)
    fleet.look(after_s=46)
    assert [one.signal for one in held(fleet)] == ["camera.covered"], "unknown, and held for a while"
    fleet.look(after_s=16)
    covered, silent = held(fleet)
    assert (silent.signal, silent.evidence["presence"]) == (SILENT, "unknown")
    fleet.look(after_s=3_600)
    assert [one.state for one in held(fleet)] == [State.OPEN, State.OPEN]
    recovers(fleet, kiosk)
    fleet.look(kiosk.is_healthy(), after_s=3)
    assert {one.id: one.state for one in held(fleet)} == {covered.id: State.RESOLVED, silent.id: State.RESOLVED}


def test_a_restart_of_a_kiosk_is_no_incident(fleet: Fleet, kiosk: Kiosk) -> None:
    fleet.look(kiosk.is_born(), kiosk.is_ready())
    fleet.look(kiosk.dies())
    for _ in range(10):
        fleet.look(after_s=1)
    kiosk.birth += 1
    fleet.look(kiosk.is_born(), after_s=1)
    fleet.look(after_s=10)
    assert held(fleet) == []


def test_a_kiosk_that_dies_for_good_is_one(fleet: Fleet, kiosk: Kiosk) -> None:
    fleet.look(kiosk.is_born(), kiosk.is_ready())
    fleet.look(kiosk.dies())
    fleet.look(after_s=16)
    assert [one.evidence["presence"] for one in held(fleet)] == ["offline"]


def test_while_the_fleet_hears_nobody_no_silence_is_a_kiosks(fleet: Fleet, kiosk: Kiosk) -> None:
    fleet.look(kiosk.is_born(), kiosk.is_ready())
    fleet.post.down = True
    fleet.look(after_s=600)
    fleet.look(after_s=600)
    assert held(fleet) == []
    fleet.post.down = False
    fleet.look(after_s=1)
    fleet.look(kiosk.is_healthy(), after_s=10)
    fleet.look(kiosk.is_healthy(), after_s=10)
    assert held(fleet) == []


def test_a_campus_that_falls_silent_is_kept_in_small_transactions(fleet: Fleet) -> None:
    campus = [Kiosk(f"lincoln-{n}") for n in range(120)]
    fleet.look(*(one.is_born() for one in campus))
    fleet.look(after_s=50)
    fleet.look(after_s=20)
    assert len(held(fleet)) == 120
    assert len([row for row in told(fleet) if row.to_role == "it"]) == 120
    fleet.look(after_s=5)
    assert len([row for row in told(fleet) if row.to_role == "it"]) == 120


def test_a_restart_of_the_fleet_neither_opens_nor_resolves(tmp_path: Path, kiosk: Kiosk) -> None:
    clock = HandClock()
    with running_fleet(tmp_path, clock) as before:
        before.look(kiosk.is_born())
        breaks(before, kiosk)
        before.settle()
        [one] = held(before)
    clock.pass_(600)
    with running_fleet(tmp_path, clock) as after:
        for _ in range(20):
            after.look(after_s=2)
        assert held(after) == [one]
        breaks(after, kiosk)
        assert timeline(after, one.id) == ["opened"]
        recovers(after, kiosk)
        assert timeline(after, one.id) == ["opened", "resolved"]


def test_a_restart_of_the_fleet_while_a_kiosk_is_dead_changes_nothing(tmp_path: Path, kiosk: Kiosk) -> None:
    clock = HandClock()
    with running_fleet(tmp_path, clock) as before:
        before.look(kiosk.is_born(), kiosk.is_ready())
        before.look(kiosk.dies())
        before.look(after_s=20)
        before.settle()
    with running_fleet(tmp_path, clock) as after:
        for _ in range(30):
            after.look(after_s=5)
        [one] = held(after)
        assert timeline(after, one.id) == ["opened"]


def test_flapping_is_counted_held_and_told_no_more(fleet: Fleet, kiosk: Kiosk) -> None:
    route(fleet, "ada")
    for _ in range(8):
        breaks(fleet, kiosk)
        fleet.clock.pass_(20)
        recovers(fleet, kiosk)
        fleet.clock.pass_(20)
    [one] = held(fleet)
    assert (one.state, one.flapping, one.opening, one.flaps) == (State.OPEN, True, 3, 5)
    mails = [row for row in told(fleet) if row.channel == "email" and row.kind == Kind.OPENED.value]
    assert [(row.opening, row.flapping) for row in mails] == [(1, False), (2, False), (3, True)]
    passes(fleet, kiosk, timedelta(minutes=11), 30.0, kiosk.is_ready())
    assert [one.state for one in held(fleet)] == [State.RESOLVED]


def test_a_call_for_help_comes_with_the_rows_and_counts_once(fleet: Fleet, kiosk: Kiosk) -> None:
    kiosk.at = fleet.clock.at
    kiosk.write("help.called", None, kind="other")
    kiosk.write("help.asked")
    fleet.look(kiosk.sends())
    assert {one.signal for one in held(fleet)} == {HELP_ADULT, HELP_OTHER}
    fleet.look(kiosk.sends(), after_s=300)
    assert [one.opening for one in held(fleet)] == [1, 1]
    kiosk.at = fleet.clock.at
    kiosk.write("help.called", None, kind="adult")
    fleet.look(kiosk.sends(3))
    assert {one.signal: one.opening for one in held(fleet)} == {HELP_ADULT: 2, HELP_OTHER: 1}


def test_a_call_and_its_end_that_arrive_together_leave_nobody_waiting(fleet: Fleet, kiosk: Kiosk) -> None:
    kiosk.at = fleet.clock.at
    kiosk.write("help.called")
    kiosk.write("help.over")
    fleet.look(kiosk.sends())
    [one] = held(fleet)
    assert (one.state, timeline(fleet, one.id)) == (State.RESOLVED, ["opened", "resolved"])


def test_a_call_that_arrives_the_next_day_sends_nobody_to_the_room(fleet: Fleet, kiosk: Kiosk) -> None:
    route(fleet, "ada")
    kiosk.at = fleet.clock.at - timedelta(days=1)
    kiosk.write("help.called", None, kind="adult")
    fleet.look(kiosk.sends())
    fleet.look(after_s=300)
    [one] = held(fleet)
    assert (one.state, timeline(fleet, one.id)) == (State.RESOLVED, ["opened", "resolved"])
    assert told(fleet) == []


def test_several_calls_of_long_ago_that_arrive_together_are_one_incident(fleet: Fleet, kiosk: Kiosk) -> None:
    kiosk.at = fleet.clock.at - timedelta(days=1)
    for _ in range(3):
        kiosk.write("help.asked")
    fleet.look(kiosk.sends())
    kiosk.at = fleet.clock.at
    kiosk.write("help.asked")
    fleet.look(kiosk.sends(4))
    assert {one.state for one in held(fleet)} == {State.OPEN}
    assert len(held(fleet)) == 1


def test_the_last_remedy_that_the_kiosk_tried_is_told(fleet: Fleet, kiosk: Kiosk) -> None:
    breaks(fleet, kiosk, signal("camera.missing"))
    camera = {"overhead": {"last_step": "reopen (silent)", "restarts": 2}}
    fleet.clock.pass_(2)
    kiosk.at = fleet.clock.at
    fleet.look(kiosk.is_healthy(cameras=camera))
    [one] = held(fleet)
    assert one.remedy == "reopen (silent), restarts in this boot: 2"
    assert timeline(fleet, one.id) == ["opened", "remedy"]


def test_notices_are_made_with_the_incident_and_once_over_a_restart(tmp_path: Path, kiosk: Kiosk) -> None:
    clock = HandClock()
    with running_fleet(tmp_path, clock) as before:
        route(before, "ada")
        breaks(before, kiosk)
        keys = {row.key for row in told(before)}
        assert {(row.channel, row.state) for row in told(before)} == {("email", "queued"), ("in-page", "sent")}
    with running_fleet(tmp_path, clock) as after:
        breaks(after, kiosk)
        after.look(after_s=60)
        assert {row.key for row in told(after)} == keys
        recovers(after, kiosk)
        assert sorted(row.kind for row in told(after) if row.channel == "email") == [
            Kind.OPENED.value, Kind.RESOLVED.value,
        ]  # fmt: skip


def test_a_notice_of_a_key_that_is_there_already_is_not_made_again(fleet: Fleet, kiosk: Kiosk) -> None:
    route(fleet, "ada")
    breaks(fleet, kiosk)
    fleet.watch.book._told.clear()  # as if another process had made them
    fleet.look(after_s=30)
    assert len([row for row in told(fleet) if row.channel == "email"]) == 1


def test_at_night_it_is_quiet_and_the_morning_tells(tmp_path: Path, kiosk: Kiosk) -> None:
    clock = HandClock()
    clock.pass_(14 * 3_600)  # it is eleven at night
    with running_fleet(tmp_path, clock) as fleet:
        route(fleet, "ada")
        breaks(fleet, kiosk)
        assert [one.state for one in held(fleet)] == [State.OPEN]
        assert told(fleet) == []
        passes(fleet, kiosk, timedelta(hours=7, minutes=59), 60.0, kiosk.is_ready(Verdict.ATTENTION, signal()))
        assert told(fleet) == []
        passes(fleet, kiosk, timedelta(minutes=2), 60.0, kiosk.is_ready(Verdict.ATTENTION, signal()))
        assert {row.channel for row in told(fleet)} == {"email", "in-page"}


def test_a_store_that_is_down_loses_nothing(fleet: Fleet, kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch) -> None:
    route(fleet, "ada")
    kiosk.at = fleet.clock.at
    fleet.take(kiosk.is_ready(Verdict.ATTENTION, signal()))
    with fleet.database.write() as _writing, pytest.raises(StoreDown):
        fleet.watch.step()
    assert fleet.watch.book.of(kiosk.id) == {}
    fleet.watch.step()
    assert [one.state for one in held(fleet)] == [State.OPEN]
    assert len([row for row in told(fleet) if row.channel == "email"]) == 1


def test_a_kiosk_that_makes_up_signals_fills_no_store(fleet: Fleet, kiosk: Kiosk) -> None:
    for turn in range(20):
        breaks(fleet, kiosk, *(signal(f"made.up-{turn}-{n}", None) for n in range(200)))
        fleet.clock.pass_(1)
    assert len(held(fleet)) <= 256


def test_the_health_score_counts_ready_time_within_the_bells(tmp_path: Path, kiosk: Kiosk) -> None:
    clock = HandClock()  # nine in the morning UTC, three in Chicago
    hours = {"zone": "UTC", "zones": {"grant": "America/Chicago"}}
    with running_fleet(tmp_path, clock, school_hours=hours) as fleet:
        other = Kiosk("grant-1", "grant")
        fleet.look(kiosk.is_born(), other.is_born(), kiosk.is_ready(), other.is_ready())
        for minute in range(40):
            clock.pass_(15)
            bad = minute >= 30
            said = kiosk.is_ready(Verdict.ATTENTION, signal()) if bad else kiosk.is_ready()
            fleet.look(said, other.is_ready())
        fleet.look(after_s=4_000)  # nothing was seen in that time
        fleet.watch.stop()
        fleet.watch._keep_tally(clock.now())
        with fleet.database.read() as connection:
            [day] = readiness_days.of_kiosk(connection, kiosk.id)
            assert readiness_days.of_kiosk(connection, other.id) == []
            [summed] = readiness_days.of_campus(connection, "lincoln", "2026-11-01")
    assert (day.day, day.ready_ms, day.attention_ms, day.unknown_ms) == ("2026-11-23", 450_000, 150_000, 0)
    assert score(day) == score(summed) == 0.75


def test_what_is_suppressed_counts_for_no_verdict(tmp_path: Path, kiosk: Kiosk) -> None:
    with running_fleet(tmp_path, school_hours=ALWAYS) as fleet:
        breaks(fleet, kiosk, signal(), signal("camera.blurred", outranked=True))
        [one] = held(fleet)
        view = fleet.parts._kiosk(_ALL, kiosk.id)
        assert view is not None
        assert view.verdict is Verdict.ATTENTION
        fleet.parts.watch = fleet.watch
        answering.suppress(fleet.parts, _ALL, one.id, fleet.clock.at + timedelta(hours=1), "being painted")
        view = fleet.parts._kiosk(_ALL, kiosk.id)
        assert view is not None
        assert (view.verdict, view.reported_verdict) == (Verdict.READY, Verdict.ATTENTION)
        assert [one.suppressed for one in view.signals] == [True, False]
        breaks(
            fleet, kiosk, signal(), signal("storage.readonly", None, severity=Severity.BLOCKED), verdict=Verdict.BLOCKED
        )
        view = fleet.parts._kiosk(_ALL, kiosk.id)
        assert view is not None
        assert view.verdict is Verdict.BLOCKED
        fleet.clock.pass_(3_601)
        recovers(fleet, kiosk)
        assert not fleet.watch.suppressed(kiosk.id, fleet.clock.now())


def pictures(fleet: Fleet) -> list[Incident]:
    """The incidents of cameras: in all those years the kiosk falls silent as well."""
    return [one for one in held(fleet) if one.signal.startswith("camera.")]


def test_incidents_go_after_90_days_and_those_that_touch_a_booking_after_seven_years(
    fleet: Fleet, kiosk: Kiosk
) -> None:
    kiosk.at = fleet.clock.at
    kiosk.whole_session()
    fleet.take(kiosk.sends())
    fleet.settle()
    kiosk.at = fleet.clock.at
    breaks(fleet, kiosk)
    recovers(fleet, kiosk)
    fleet.clock.pass_(86_400)
    route(fleet, "ada")
    breaks(fleet, kiosk, signal("camera.dark"))
    recovers(fleet, kiosk)
    in_session, other = pictures(fleet)
    fleet.look(after_s=8 * 86_400)
    assert [one.state for one in pictures(fleet)] == [State.CLOSED, State.CLOSED]
    fleet.look(after_s=80 * 86_400)
    assert len(pictures(fleet)) == 2
    fleet.look(after_s=3 * 86_400)
    assert [one.id for one in pictures(fleet)] == [in_session.id]
    assert timeline(fleet, other.id) == []
    with fleet.database.read() as connection:
        assert outbox.of_incident(connection, other.id) == []
    fleet.look(after_s=6 * 366 * 86_400)
    assert [one.id for one in pictures(fleet)] == [in_session.id]
    fleet.look(after_s=366 * 86_400)
    assert pictures(fleet) == []


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.IN_PAGE])
def test_a_route_that_is_removed_tells_no_more(fleet: Fleet, kiosk: Kiosk, channel: Channel) -> None:
    route(fleet, "ada", channel)
    with fleet.database.write() as connection:
        assert outbox.remove_route(connection, "ada", fleet.clock.at) is not None
        assert outbox.remove_route(connection, "ada", fleet.clock.at) is None
    fleet.watch.routes_changed()
    breaks(fleet, kiosk)
    assert {row.route for row in told(fleet)} == {"in-page-it", "in-page-therapist"}
