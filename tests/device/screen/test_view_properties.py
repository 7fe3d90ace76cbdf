"""Whatever happens to a kiosk, its page says something, and the same thing by word, shape and colour."""

from hypothesis import given, settings
from hypothesis import strategies as st

from device.errors import Refused
from device.screen.model import Kind, Screen, Tap
from device.screen.view import view
from device.session import states as s
from device.session.clock import NS_PER_S
from device.session.machine import step
from device.session.states import IN_SESSION
from tests.device.screen.gallery import ELEVEN, GROUP, TEN
from tests.device.screen.room import Room
from wire.signal_table import SIGNALS

ROLES = st.sampled_from(["overhead", "front"])
HAPPENINGS = st.one_of(
    st.just(("press",)),
    st.just(("hold",)),
    st.tuples(st.just("passes"), st.sampled_from([0.1, 2.0, 6.0, 31.0, 130.0, 700.0, 4000.0])),
    st.tuples(st.just("network"), st.booleans()),
    st.tuples(st.just("pictures"), ROLES, st.sampled_from(["open", "closed", "missing", "opening"])),
    st.tuples(st.just("wrong"), st.sampled_from(sorted(SIGNALS)), ROLES),
    st.tuples(
        st.just("asked"),
        st.sampled_from(["extend", "still-here", "help", "help-over", "absent", "not-this-student", "skip-reason"]),
    ),
    st.tuples(st.just("storage"), st.booleans()),
    st.tuples(st.just("switching"), st.booleans()),
    st.tuples(st.just("stuck")),
    st.tuples(st.just("lay"), st.lists(st.sampled_from([10, 11, 13, 14]), unique=True, max_size=3)),
    st.tuples(st.just("power"), st.sampled_from([20.0, 900.0])),
)


def happen(room: Room, what: tuple[object, ...]) -> None:  # noqa: C901, PLR0912  # one arm for each thing that happens
    match what:
        case ("press",):
            room.press()
        case ("hold",):
            room.hold()
        case ("passes", float() as seconds):
            room.passes(seconds)
        case ("network", bool() as up):
            room.network(up=up)
        case ("pictures", str() as role, str() as state):
            room.pictures(role, state=state)
        case ("wrong", str() as name, str() as role):
            room.wrong(name, role if SIGNALS[name].per_role else None)
        case ("asked", str() as name):
            try:
                room.happens(s.Asked(name, "5" if name == "extend" else ""))
            except Refused:
                return
        case ("storage", bool() as ok):
            room.happens(s.StorageChanged(ok=ok))
        case ("switching", bool() as switching):
            room.happens(s.UpdateChanged(switching=switching))
        case ("stuck",):
            room.happens(s.Stuck(room.now.mono_ns - 10 * NS_PER_S, 10_000))
        case ("lay", list() as cards):
            room.lay(*cards)
        case ("power", float() as gap_s) if room.state.session:
            room.power_cut(gap_s)
        case _:
            pass


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([(), (TEN,), (GROUP, TEN, ELEVEN)]),
    st.booleans(),
    st.lists(HAPPENINGS, max_size=14),
)
def test_any_kiosk_has_a_page(bookings: tuple[object, ...], booted: bool, story: list[tuple[object, ...]]) -> None:
    room = Room(*bookings)  # type: ignore[arg-type]  # bookings, drawn from a list of them
    if booted:
        room.boot()
    for what in story:
        happen(room, what)
        snapshot = room.snapshot()
        for language in ("en", "es"):
            found = view(snapshot, language)
            said = " ".join((found.headline, found.do, found.then, found.card, *(one.text for one in found.footer)))
            assert "s-0" not in said, "no page names a student"
            assert found.headline
            assert "{" not in said
            assert "None" not in said
            assert found.footer[0].text.startswith("Room 12")
            if found.offer and found.offer.kind is Kind.ASK:
                step(snapshot.state, s.Asked(found.offer.name), snapshot.at)  # raises where it would be refused
            if snapshot.state.phase in IN_SESSION:
                assert found.screen in {
                    Screen.STARTING, Screen.WAITING, Screen.LIVE, Screen.OFFLINE, Screen.PAUSED, Screen.ENDING,
                }  # fmt: skip
            if found.countdown_to_ms is not None:
                assert found.countdown_of_ms is not None
                assert found.countdown_to_ms <= found.countdown_of_ms
            if found.tiles and snapshot.state.phase in IN_SESSION:
                assert found.tiles_on_tap
                assert found.tap is Tap.REVEAL
