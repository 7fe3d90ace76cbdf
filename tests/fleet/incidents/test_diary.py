"""What the schedule that this fleet keeps says to incidents: bells, closures, the room's point person, bookings."""

from datetime import UTC, datetime, time, timedelta

from fleet.incidents import State
from fleet.notices import Channel, To
from fleet.planning import Plan
from fleet.store import bookings, campuses, rooms
from fleet.store.campuses import Closure
from fleet.store.rooms import Room
from tests.fleet.incidents.desk import breaks, held, recovers, route, told
from tests.fleet.world import Fleet, Kiosk
from wire.school_day import Calendar, Period


def plan_school(fleet: Fleet) -> None:
    """Lincoln has school from eight to three in Chicago, and Ms. Lee looks after the room of the kiosk."""
    bells = {"regular": (Period(name="all day", start=time(8), end=time(15)),)}
    with fleet.database.write() as connection:
        campuses.put_calendar(connection, "lincoln", Calendar(time_zone="America/Chicago", bells=bells), fleet.clock.at)
        rooms.put(connection, Room("room-12", "lincoln", "Room 12", "lincoln-12", "lee-1"), fleet.clock.at)


def close(fleet: Fleet, since: datetime, until: datetime) -> None:
    with fleet.database.write() as connection:
        campuses.add_closure(connection, Closure("c-1", "lincoln", since, until, "snow", "ida"), fleet.clock.at)


def test_bells_are_the_campuses_own_and_closures_count(fleet: Fleet, kiosk: Kiosk) -> None:
    fleet.take(kiosk.is_born())
    plan_school(fleet)
    diary = fleet.watch.diary
    fleet.clock.pass_(60)
    eight = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
    assert [diary.bells("lincoln", eight + timedelta(hours=n)) for n in (-1, 0, 6, 7)] == [False, True, True, False]
    assert diary.local("lincoln", eight).hour == 8
    assert diary.bells("grant", datetime(2026, 11, 23, 9, 0, tzinfo=UTC)), "it has no calendar: the settings' hours"
    close(fleet, eight + timedelta(hours=4), eight + timedelta(hours=12))
    fleet.clock.pass_(60)
    assert [diary.bells("lincoln", eight + timedelta(hours=n)) for n in (3, 4, 6)] == [True, False, False]


def test_the_rooms_point_person_is_told_first(fleet: Fleet, kiosk: Kiosk) -> None:
    fleet.take(kiosk.is_born())
    plan_school(fleet)
    route(fleet, "lee", Channel.EMAIL, role=To.POINT_PERSON, person="lee-1")
    route(fleet, "max", Channel.EMAIL, role=To.POINT_PERSON, person="max-1")
    route(fleet, "it", Channel.EMAIL, step=1)
    fleet.clock.pass_(5.5 * 3_600)  # half past eight in Chicago
    breaks(fleet, kiosk)
    assert [row.route for row in told(fleet) if row.channel == "email"] == ["lee"]
    fleet.clock.pass_(180)
    breaks(fleet, kiosk)
    assert [row.route for row in told(fleet) if row.channel == "email"] == ["lee", "it"]


def test_a_bookings_own_point_person_outranks_the_rooms(fleet: Fleet, kiosk: Kiosk) -> None:
    fleet.take(kiosk.is_born())
    plan_school(fleet)
    route(fleet, "lee", Channel.EMAIL, role=To.POINT_PERSON, person="lee-1", min_duration_s=600)
    route(fleet, "max", Channel.EMAIL, role=To.POINT_PERSON, person="max-1", min_duration_s=600)
    fleet.clock.pass_(5.5 * 3_600)  # half past eight in Chicago
    at, half = fleet.clock.at, timedelta(minutes=30)
    plan = Plan("b-0900", "lincoln", "room-12", "ruiz", at + timedelta(minutes=20), half, point_person="max-1")
    with fleet.database.write() as connection:
        bookings.add(connection, [plan], at)
    diary = fleet.watch.diary
    asked = [diary.point_person(kiosk.id, at + timedelta(minutes=n)) for n in (-11, 0, 49, 50)]
    assert asked == ["lee-1", "max-1", "max-1", "lee-1"]
    breaks(fleet, kiosk)
    assert [row.route for row in told(fleet) if row.channel == "email"] == ["max"]
    fleet.clock.pass_(1)  # notices of the same instant stand in no order
    recovers(fleet, kiosk)
    assert [(row.route, row.kind) for row in told(fleet) if row.channel == "email"] == [
        ("max", "incident.opened"), ("max", "incident.resolved"),
    ]  # fmt: skip


def test_an_incident_that_touches_a_booking_is_kept_with_it_though_nobody_pressed(fleet: Fleet, kiosk: Kiosk) -> None:
    fleet.take(kiosk.is_born())
    plan_school(fleet)
    at = fleet.clock.at
    missed = Plan("b-0900", "lincoln", "room-12", "ruiz", at - timedelta(minutes=5), timedelta(minutes=30))
    with fleet.database.write() as connection:
        bookings.add(connection, [missed], at)
    breaks(fleet, kiosk)
    recovers(fleet, kiosk)
    for days in (8, 85):
        fleet.look(after_s=days * 86_400)
    [kept] = [one for one in held(fleet) if one.signal == "camera.covered"]
    assert kept.state is State.CLOSED
