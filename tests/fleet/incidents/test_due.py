"""Who is told, in which turn, and what is quiet: pure."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.incidents import Incident, State
from fleet.notices import NEXT_AFTER, URGENT_BEFORE, Booked, Channel, Draft, Kind, Route, To, due
from fleet.own_signals import HELP_ADULT
from wire.signals import Severity

BEGAN = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass
class Hours:
    """A school in Chicago whose bells a test rings."""

    rings: bool = True
    points: dict[str, str] = field(default_factory=dict)
    plans: list[Booked] = field(default_factory=list)
    bell: datetime | None = None
    """From then on the bells ring, whatever `rings` says."""

    def bells(self, _campus: str, at: datetime) -> bool:
        return self.rings or (self.bell is not None and at >= self.bell)

    def local(self, _campus: str, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo("America/Chicago"))

    def point_person(self, kiosk: str, _at: datetime) -> str | None:
        return self.points.get(kiosk)

    def booked(self, _kiosk: str, at: datetime) -> list[Booked]:
        return [one for one in self.plans if one.start - URGENT_BEFORE <= at < one.end]


@dataclass
class Desk:
    """An incident, routes, and what was told."""

    routes: list[Route]
    school: Hours = field(default_factory=Hours)
    incident: Incident = field(
        default_factory=lambda: Incident(
            "i-1",
            "lincoln-12",
            "lincoln",
            "camera.covered",
            "overhead",
            Severity.ATTENTION,
            State.OPEN,
            BEGAN,
            BEGAN,
            (BEGAN,),
        )
    )
    told: dict[str, datetime] = field(default_factory=dict)

    def at(self, after: timedelta) -> list[str]:
        """The routes that are told at a time after the opening."""
        now = BEGAN + after
        drafts: list[Draft] = due(self.incident, self.routes, self.told, self.school, now)
        self.told |= {one.key: now for one in drafts}
        return [one.route.id for one in drafts]

    def become(self, **change: object) -> None:
        self.incident = replace(self.incident, **change)  # type: ignore[arg-type]


def mail(id_: str, role: To = To.IT, **more: object) -> Route:
    return Route(id_, role, Channel.EMAIL, address=f"{id_}@school.example", **more)  # type: ignore[arg-type]


def test_the_point_person_first_and_the_next_after_three_unacknowledged_minutes() -> None:
    desk = Desk(
        [
            mail("lee", To.POINT_PERSON, person="lee-1"),
            mail("therapist", To.THERAPIST, step=1),
            mail("it", step=2),
        ],
        Hours(points={"lincoln-12": "lee-1"}),
    )
    assert desk.at(timedelta(0)) == ["lee"]
    assert desk.at(NEXT_AFTER - timedelta(seconds=1)) == []
    assert desk.at(NEXT_AFTER) == ["therapist"]
    assert desk.at(2 * NEXT_AFTER - timedelta(seconds=1)) == []
    desk.become(acknowledged_at=BEGAN + 5 * MINUTE, acknowledged_by="lee")
    assert desk.at(60 * MINUTE) == [], "somebody looks after it"


def before_a_booking(minutes: float, *routes: Route, **school: object) -> Desk:
    """A desk at which something turns wrong so many minutes before a booking of half an hour."""
    start = BEGAN + minutes * MINUTE
    told = {"points": {"lincoln-12": "lee-1"}, "plans": [Booked(start, start + 30 * MINUTE)]} | school
    return Desk(list(routes), Hours(**told))  # type: ignore[arg-type]


_SLOW = (
    mail("it", min_duration_s=600),
    mail("therapist", To.THERAPIST, min_duration_s=600),
    mail("lee", To.POINT_PERSON, person="lee-1", step=2, min_duration_s=600),
    mail("boss", step=2, min_duration_s=600),
)


def test_shortly_before_a_booking_the_point_person_first_then_therapist_and_it_though_it_is_short() -> None:
    desk = before_a_booking(20, *_SLOW)
    assert desk.at(timedelta(0)) == ["lee"]
    assert desk.at(NEXT_AFTER - timedelta(seconds=1)) == []
    assert desk.at(NEXT_AFTER) == ["it", "therapist"]
    assert desk.at(2 * NEXT_AFTER) == ["boss"]
    desk.become(state=State.RESOLVED, resolved_at=BEGAN + 8 * MINUTE)
    desk.school.points = {}
    assert sorted(desk.at(8 * MINUTE)) == ["boss", "it", "lee", "therapist"], "whoever was told hears that it is over"


def test_what_was_wrong_before_is_urgent_once_the_half_hour_begins() -> None:
    desk = before_a_booking(35, *_SLOW)
    assert desk.at(4 * MINUTE) == []
    assert desk.at(5 * MINUTE) == ["lee"]


def test_before_a_booking_where_nobody_is_the_point_person_therapist_and_it_are_first() -> None:
    desk = before_a_booking(20, *_SLOW, points={})
    assert desk.at(timedelta(0)) == ["it", "therapist"]


def test_what_turns_wrong_within_a_booking_waits_as_ever_unless_the_next_is_near() -> None:
    desk = before_a_booking(-5, *_SLOW)
    assert desk.at(MINUTE) == []
    desk.school.plans.append(Booked(BEGAN + 25 * MINUTE, BEGAN + 55 * MINUTE))
    assert desk.at(MINUTE) == ["lee"]


def test_the_days_first_booking_is_announced_before_its_bell_and_nothing_else_is() -> None:
    rings = BEGAN + 20 * MINUTE
    assert before_a_booking(20, *_SLOW, rings=False, bell=rings).at(timedelta(0)) == ["lee"]
    assert before_a_booking(20, *_SLOW, rings=False).at(timedelta(0)) == [], "a booking outside the bells is quiet"
    assert before_a_booking(40, *_SLOW, rings=False, bell=rings).at(timedelta(0)) == []


def test_where_nobody_is_the_point_person_the_next_is_first() -> None:
    desk = Desk([mail("lee", To.POINT_PERSON, person="lee-1"), mail("it", step=3)])
    assert desk.at(timedelta(0)) == ["it"]


def test_a_page_disturbs_nobody_and_so_waits_for_nobody() -> None:
    page = Route("page", To.IT, Channel.IN_PAGE, step=5)
    desk = Desk([mail("lee", To.POINT_PERSON, kiosk="lincoln-12"), mail("it", step=1), page])
    assert desk.at(timedelta(0)) == ["page", "lee"]


@pytest.mark.parametrize(
    ("route", "is_told"),
    [
        (mail("it"), True),
        (mail("it", campus="lincoln"), True),
        (mail("it", campus="grant"), False),
        (mail("it", kiosk="lincoln-4"), False),
        (mail("it", severity=Severity.BLOCKED), False),
        (mail("it", person="lee-1"), False),
        (mail("it", quiet_from=time(8), quiet_until=time(9, 30)), False),  # it is nine in Chicago
        (mail("it", quiet_from=time(17), quiet_until=time(7)), True),
        (mail("it", quiet_from=time(22), quiet_until=time(9, 30)), False),
    ],
)
def test_of_what_somebody_is_told(route: Route, is_told: bool) -> None:
    assert Desk([route]).at(timedelta(0)) == (["it"] if is_told else [])


def test_what_gets_worse_tells_those_who_wait_for_that() -> None:
    desk = Desk([mail("it"), mail("boss", severity=Severity.BLOCKED)])
    assert desk.at(timedelta(0)) == ["it"]
    desk.become(severity=Severity.BLOCKED)
    assert desk.at(MINUTE) == ["boss"]


def test_what_is_short_is_not_told_and_what_was_not_told_is_not_told_to_be_over() -> None:
    desk = Desk([mail("it", min_duration_s=300)])
    assert desk.at(4 * MINUTE) == []
    desk.become(state=State.RESOLVED, resolved_at=BEGAN + 4 * MINUTE)
    assert desk.at(6 * MINUTE) == []


def test_the_next_one_waits_for_one_who_is_told_late() -> None:
    desk = Desk([mail("it", min_duration_s=300), mail("boss", step=1)])
    assert desk.at(4 * MINUTE) == []
    assert desk.at(5 * MINUTE) == ["it"]
    assert desk.at(7 * MINUTE) == []
    assert desk.at(8 * MINUTE) == ["boss"]


def test_one_that_recovers_says_so_to_whom_it_was_told() -> None:
    desk = Desk([mail("it"), mail("boss", step=1)])
    desk.at(timedelta(0))
    desk.become(state=State.RESOLVED, resolved_at=BEGAN + MINUTE)
    [draft] = due(desk.incident, desk.routes, desk.told, desk.school, BEGAN + MINUTE)
    assert (draft.route.id, draft.kind) == ("it", Kind.RESOLVED)
    assert desk.at(MINUTE) == ["it"]
    assert desk.at(2 * MINUTE) == []


def test_outside_the_bells_it_is_quiet_and_tells_when_they_ring() -> None:
    desk = Desk([mail("it")], Hours(rings=False))
    assert desk.at(timedelta(0)) == []
    desk.school.rings = True
    assert desk.at(timedelta(hours=14)) == ["it"]


def test_a_person_who_calls_for_help_is_heard_at_any_time() -> None:
    desk = Desk([mail("it")], Hours(rings=False))
    desk.become(signal=HELP_ADULT, role=None)
    assert desk.at(timedelta(0)) == ["it"]


def test_what_is_suppressed_tells_nobody_until_that_ends() -> None:
    desk = Desk([mail("it")])
    desk.become(suppressed_until=BEGAN + 10 * MINUTE)
    assert desk.at(9 * MINUTE) == []
    assert desk.at(10 * MINUTE) == ["it"]


def test_each_opening_is_told_anew() -> None:
    desk = Desk([mail("it")])
    assert desk.at(timedelta(0)) == ["it"]
    desk.become(opening=2, turned_at=BEGAN + MINUTE)
    assert desk.at(MINUTE) == ["it"]


ROUTES = st.lists(
    st.builds(
        Route,
        id=st.uuids().map(str),
        role=st.sampled_from(To),
        channel=st.sampled_from(Channel),
        campus=st.sampled_from([None, "lincoln", "grant"]),
        severity=st.sampled_from([Severity.ATTENTION, Severity.BLOCKED]),
        min_duration_s=st.sampled_from([0, 60, 600]),
        step=st.integers(0, 3),
    ),
    max_size=8,
    unique_by=lambda route: route.id,
)


@given(ROUTES, st.lists(st.integers(0, 400), max_size=30), st.integers(0, 3_000))
def test_each_is_told_once_and_none_before_its_turn(routes: list[Route], pauses: list[int], answered_s: int) -> None:
    desk = Desk(routes)
    passed_s, told_at = 0, {}
    for pause_s in pauses:
        passed_s += pause_s
        if passed_s >= answered_s:
            desk.become(acknowledged_at=BEGAN)
        for id_ in desk.at(timedelta(seconds=passed_s)):
            assert id_ not in told_at
            assert passed_s < answered_s
            told_at[id_] = passed_s
    by_id = {route.id: route for route in routes}
    for id_, at_s in told_at.items():
        route = by_id[id_]
        assert at_s >= route.min_duration_s
        assert route.campus != "grant"
        if route.channel is Channel.IN_PAGE:
            continue
        fits = [
            one for one in routes
            if one.campus != "grant" and one.severity is Severity.ATTENTION and one.channel is not Channel.IN_PAGE
        ]  # fmt: skip
        earlier = sorted({one.step for one in fits if one.step < route.step})
        if earlier:
            before = [told_at[one.id] for one in fits if one.step == earlier[-1] and one.id in told_at]
            assert before, "an earlier step was told first"
            assert at_s >= min(before) + NEXT_AFTER.total_seconds()
