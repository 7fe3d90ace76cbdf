"""A snapshot for every screen and every text that can stand on it: for the tests of words, and for the pictures."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from device.cameras.source import Native
from device.session import states as s
from device.session.clock import NS_PER_S, Instant
from device.snapshot import CameraView, Place, Snapshot
from tests.device.screen.room import BOAT, FOX, KITE, MORNING, PLACE, Room, booking
from wire.calls import HelpAnswered
from wire.ledger import ClockTrust
from wire.preflight import Check
from wire.schedule import Settled
from wire.signals import Severity

NINE: Final = booking("bk-0900", "9:35", 35)
TEN: Final = booking("bk-1015", "10:15")
ELEVEN: Final = booking("bk-1100", "11:00")
LATER: Final = booking("bk-1045", "10:45", students=("s-0502",))
NEXT_DAY: Final = booking("bk-tue", "33:30")
GROUP: Final = booking("bk-group", "10:00", 45, model="group", students=("s-0418", "s-0502", "ab-123456", "s-0777"))
EIGHT: Final = booking(
    "bk-eight", "10:00", 45, model="group", students=tuple(f"ab-10000{n}" for n in range(1, 9))
)  # fmt: skip
LATE: Final = booking("bk-late", "10:15", late_min=10)
OFF: Final = Settled(id="bk-off", start=TEN.start, planned_ms=TEN.planned_ms, reason="school-event")
SHORT: Final = booking("bk-short", "9:35", 33)
LONG: Final = Place(
    "sequoia-middle-school-annex-kiosk-17", "sequoia-middle", "Occupational Therapy Annex, Room 217b",
    "415 555 0198 ext. 3377", "415 555 0134 ext. 2200", "America/Los_Angeles",
)  # fmt: skip
NOBODY: Final = Place("maple-12", "maple", "Room 12", "", "", "America/Chicago")


def _room(*bookings: object, place: Place = PLACE) -> Room:
    return Room(*bookings, place=place).boot()  # type: ignore[arg-type]  # bookings, written as constants above


def _not_judged() -> Snapshot:
    room = _room()
    room.judged = False
    return room.snapshot()


def _cameras_off() -> Snapshot:
    return _room(ELEVEN).pictures(state="closed").snapshot()


def _no_camera(place: Place = PLACE) -> Room:
    room = _room(place=place).pictures(state="missing")
    for role in ("overhead", "front"):
        room.wrong("camera.missing", role, Severity.BLOCKED)
    return room


def _missing_in_session() -> Snapshot:
    return (
        _room().start().passes(90).pictures("overhead", state="missing").wrong("camera.missing", "overhead").snapshot()
    )


def _checks(*, pictures: bool | None) -> tuple[Check, ...]:
    """A look that found the rest well: with pictures that are well, or covered, or of cameras that stayed closed."""
    evidence = {"signals": ["camera.covered"]} if pictures is False else {}
    return (
        Check(name="camera", role="overhead", ok=None if pictures is None else True),
        Check(name="picture", role="overhead", ok=pictures, evidence=evidence),
        Check(name="audio"),
        Check(name="link", ok=True),
    )


def _identify(room: Room) -> Snapshot:
    room.identify = True
    return room.snapshot()


def _unwritten(room: Room) -> Snapshot:
    room.unwritten = True
    return room.snapshot()


def _sent(room: Room, rows: int) -> Snapshot:
    room.backlog = rows
    return room.snapshot()


def _busy_session(place: Place = PLACE) -> Room:
    """Twenty-eight minutes with everything that can happen in them."""
    room = _room(TEN, ELEVEN, place=place).passes(120).start().passes(600)
    room.network(up=False).passes(110)
    room.network(up=True).passes(20).press().pictures(state="closed").passes(41).press().passes(3).pictures()
    return room.passes(300).power_cut(95).passes(5).pictures().passes(540)


def _no_clock(before: ClockTrust, after: ClockTrust, place: Place = PLACE) -> Snapshot:
    """A session with a power cut of three and a half minutes, of which not both sides are dated."""
    room = _room(place=place)
    room.now = replace(room.now, trust=before)
    return _held(room.start().passes(500).power_cut(210, after).passes(5).pictures().passes(540), 15).snapshot()


def _held(room: Room, seconds: float = 0) -> Room:
    return room.hold().pictures(state="closed").passes(seconds)


def _pauses(count: int) -> Room:
    room = _room().start().passes(60)
    for _ in range(count - 1):
        room.press().passes(1).press().passes(3.5).pictures()
    return room.press().pictures(state="closed").passes(2)


def _unset_clock() -> Snapshot:
    room = _room()
    room.now = replace(room.now, wall=MORNING.replace(year=1970), trust=ClockTrust.UNSET)
    return room.wrong("clock.unset").snapshot()


def _link_soon() -> Snapshot:
    return _room(TEN).network(up=False).wrong("link.down", None, Severity.ATTENTION).passes(70).snapshot()


def _update() -> Snapshot:
    return _room(TEN).happens(s.UpdateChanged(switching=True)).press().snapshot()


def _fault(place: Place = PLACE) -> Snapshot:
    return _room(place=place).happens(s.StorageChanged(ok=False)).wrong("storage.readonly").snapshot()


def _cancelled() -> Snapshot:
    room = _room()
    return (
        room.press()
        .passes(10)
        .happens(s.Stuck(room.now.mono_ns - 10 * NS_PER_S, 10_000))
        .wrong("button.stuck")
        .snapshot()
    )


def _recorded_offline() -> Snapshot:
    """Sealed while the network is down, by a camera that gives less than it is asked for and is half in the dark."""
    room = _room(TEN).start().passes(760).records().network(up=False).passes(81)
    room.views["overhead"] = replace(
        room.views["overhead"], native=Native(1280, 720, 15.0, "MJPG"), coded=12_615, lost=4, restarts=1,
        seen=({"condition": "dark", "evidence": {"mean": 31.0}},), segment="6f0d4b5e-3c1f-4a55-9d0e-1f6a52f0a001",
    )  # fmt: skip
    return room.snapshot()


def _unplanned() -> Room:
    """A session that no booking started, while bookings are held."""
    return _room(ELEVEN).press().press().pictures().passes(300)


def _other_card(card: int = BOAT, place: Place = PLACE) -> Room:
    """Another booking's card beside the session's own, twelve minutes into what was recorded."""
    room = _room(TEN, LATER, place=place).start().passes(600).lay(FOX).passes(120).lay(FOX, card).passes(2)
    return room.records("nothing", "other-card")


def _boot_asks() -> Snapshot:
    room = Room(TEN)
    room.press().passes(120)
    return room.boot().snapshot()


def _agent_restarted() -> Snapshot:
    """The session goes on in the same boot: nobody knows that the power was out."""
    room = _room().start().passes(100)
    session = room.state.session
    assert session is not None
    found = s.OpenSession(session.id, None, session.needs, room.now, 60_000, None, paused=False)
    room.now = Instant(room.now.mono_ns + 8 * NS_PER_S, room.now.wall, "boot-1", room.now.trust)
    room.state = s.State()
    return room.boot(found).passes(1).snapshot()


def _called(room: Room, seconds: float = 2, answer: str | None = None) -> Room:
    """An adult was called `seconds` ago."""
    room.happens(s.Asked("help", "adult")).passes(seconds)
    return room.happens(s.HelpAnswered(HelpAnswered(by_role=answer))) if answer else room


def _missed() -> Snapshot:
    """Nobody started the booking that was over a minute ago."""
    return _room(SHORT, ELEVEN).passes(120).snapshot()


GALLERY: Final[dict[str, Callable[[], Snapshot]]] = {
    "booting": lambda: Room().snapshot(),
    "booting-heard": lambda: Room().press().snapshot(),
    "checking": _not_judged,
    "ready": lambda: _room().snapshot(),
    "ready-booking": lambda: _room(TEN).snapshot(),
    "looking": lambda: _room(TEN).looks().snapshot(),
    "looked-well": lambda: _room(TEN).looked(*_checks(pictures=True)).passes(20).snapshot(),
    "looked-partly": lambda: _room(TEN).looked(*_checks(pictures=None)).passes(20).snapshot(),
    "looked-covered": lambda: _room(TEN).looked(*_checks(pictures=False)).passes(120).snapshot(),
    "ready-late": lambda: _room(GROUP).snapshot(),
    "ready-nothing-due": lambda: _room(ELEVEN).snapshot(),
    "ready-next-day": lambda: _room(NEXT_DAY).snapshot(),
    "ready-no-network": lambda: _room().network(up=False).passes(70).snapshot(),
    "ready-cameras-off": _cameras_off,
    "ready-long-names": lambda: _room(TEN, place=LONG).network(up=False).passes(70).snapshot(),
    "can-start-link": _link_soon,
    "can-start-clock": _unset_clock,
    "not-ready-covered": lambda: _room(TEN).wrong("camera.covered", "overhead").snapshot(),
    "not-ready-dark-both": lambda: _room(TEN).wrong("camera.dark", "overhead").wrong("camera.dark", "front").snapshot(),
    "not-ready-missing": lambda: _room().pictures("front", state="missing").wrong("camera.missing", "front").snapshot(),
    "not-ready-glare": lambda: _room(TEN).wrong("camera.glare", "overhead").snapshot(),
    "not-ready-lamp": lambda: _room().wrong("lamp.mismatch").snapshot(),
    "not-ready-filtered": lambda: _room().network(up=False).wrong("link.filtered").snapshot(),
    "not-ready-stuck": _cancelled,
    "not-ready-overdue": lambda: _room(GROUP).passes(1).wrong("session.overdue").snapshot(),
    "asking": lambda: _room(ELEVEN).press().passes(3).snapshot(),
    "asking-after-boot": _boot_asks,
    "identify": lambda: _identify(_room()),
    "identify-long": lambda: _identify(_room(place=LONG)),
    "refused-no-camera": lambda: _no_camera().press().snapshot(),
    "refused-long": lambda: _no_camera(LONG).press().snapshot(),
    "refused-update": _update,
    "fault": _fault,
    "fault-long": lambda: _fault(LONG),
    "starting": lambda: _room(TEN).pictures(state="opening").press().passes(1).snapshot(),
    "live": lambda: _room(TEN).start().passes(755).snapshot(),
    "live-unplanned": lambda: _room().start().passes(755).snapshot(),
    "live-over-an-hour": lambda: _room(booking("bk-long", "10:10", 90)).start().passes(3755).snapshot(),
    "live-last-minutes": lambda: _room(TEN).start().passes(2200).snapshot(),
    "live-past-end": lambda: _room(TEN).start().passes(2400).snapshot(),
    "live-next-waits": lambda: _room(NINE, TEN).start().passes(250).snapshot(),
    "live-camera-covered": lambda: _room(TEN).start().passes(60).wrong("camera.covered", "overhead").snapshot(),
    "live-camera-missing": _missing_in_session,
    "live-unwritten": lambda: _unwritten(_room().start().passes(60).wrong("storage.readonly")),
    "live-therapist": lambda: _room(TEN).start().passes(755).therapist(there=True),
    "live-identify": lambda: _identify(_room(TEN).start().passes(60)),
    "live-recorded": lambda: _room(TEN).start().passes(755).records().snapshot(),
    "live-pre-roll": lambda: _room(TEN).start().passes(755).records("pre-roll", "when-offline").snapshot(),
    "live-card": lambda: _room(TEN).start().passes(749).records().lay(FOX).passes(6).snapshot(),
    "live-cards-of-a-group": lambda: _room(GROUP).start().passes(700).lay(FOX, KITE).passes(6).snapshot(),
    "live-cards-unplanned": lambda: _unplanned().lay(FOX).passes(3).lay(FOX, BOAT).passes(6).snapshot(),
    "live-other-card": lambda: _other_card().snapshot(),
    "live-other-card-of-nobody-today": lambda: _other_card(KITE).snapshot(),
    "live-other-card-not-recorded": lambda: _room(TEN, LATER).start().passes(60).lay(BOAT).snapshot(),
    "live-other-card-gone": lambda: _other_card().lay().passes(3).snapshot(),
    "live-other-card-objected": lambda: _other_card().happens(s.Asked("not-this-student")).snapshot(),
    "starting-other-card": lambda: (
        _room(TEN, LATER).pictures("front", state="opening").lay(BOAT).press().passes(1).snapshot()
    ),
    "offline-other-card": lambda: _other_card(place=LONG).network(up=False).passes(20).snapshot(),
    "waiting": lambda: _room(TEN).start().passes(35).therapist(there=False),
    "offline": lambda: _room(TEN).start().passes(760).network(up=False).passes(81).snapshot(),
    "offline-nobody-to-call": lambda: _room(TEN, place=NOBODY).start().passes(60).network(up=False).snapshot(),
    "offline-last-minutes": lambda: (
        _room(TEN, place=LONG).start().passes(2100).network(up=False).passes(120).snapshot()
    ),
    "offline-recorded": _recorded_offline,
    "offline-recorded-last-minutes": lambda: (
        _room(TEN, place=LONG).start().passes(2100).records().network(up=False).passes(120).snapshot()
    ),
    "out-of-reach": lambda: _pauses(4).press().passes(3.5).pictures().snapshot(),
    "paused": lambda: _room(TEN).start().passes(300).press().pictures(state="closed").passes(21).snapshot(),
    "paused-closing": lambda: _room(TEN).start().passes(300).press().snapshot(),
    "paused-out-of-reach": lambda: _pauses(4).snapshot(),
    "paused-going-on": lambda: _pauses(1).press().passes(1.2).snapshot(),
    "paused-offline": lambda: (
        _room(TEN).start().network(up=False).passes(90).press().pictures(state="closed").snapshot()
    ),
    "ending": lambda: _held(_busy_session(), 3.4).snapshot(),
    "ending-paused": lambda: _held(_pauses(1).passes(20), 3).snapshot(),
    "ended": lambda: _held(_busy_session(), 30).snapshot(),
    "ended-between": lambda: _no_clock(ClockTrust.HELD, ClockTrust.SYNCED),
    "ended-at-least": lambda: _no_clock(ClockTrust.SYNCED, ClockTrust.HELD, place=LONG),
    "ended-not-known": lambda: _no_clock(ClockTrust.HELD, ClockTrust.HELD),
    "ended-unplanned": lambda: _sent(_held(_room().start().passes(1700), 15), 7),
    "ended-next-due": lambda: _sent(_held(_room(NINE, TEN).start().passes(300), 15), 1),
    "ended-long": lambda: _sent(_held(_busy_session(LONG).network(up=False), 30), 1234),
    "ended-unwritten": lambda: _unwritten(_held(_room().start().passes(600), 15)),
    "ready-in-thirty-minutes": lambda: _room(booking("bk-1037", "10:37")).passes(4).snapshot(),
    "ready-in-five-minutes": lambda: _room(TEN).passes(184).snapshot(),
    "ready-in-one-minute": lambda: _room(TEN).passes(424).snapshot(),
    "ready-therapist-late": lambda: _room(LATE).snapshot(),
    "ready-cancelled": lambda: Room(settled=(OFF,)).boot().snapshot(),
    "ready-cancelled-next-due": lambda: Room(LATER, settled=(OFF,)).boot().snapshot(),
    "not-ready-overdue-of-eight": lambda: _room(EIGHT).passes(1).wrong("session.overdue").snapshot(),
    "did-not-happen": _missed,
    "live-of-eight": lambda: _room(EIGHT).start().passes(755).snapshot(),
    "live-still-here": lambda: _room(TEN).start().passes(2700).snapshot(),
    "waiting-late": lambda: _room(LATE).start().passes(35).therapist(there=False),
    "waiting-absent": lambda: _room(TEN).start().passes(200).wrong("therapist.absent").therapist(there=False),
    "ended-early": lambda: _held(_room(TEN).start().passes(600), 15).snapshot(),
    "ended-early-long": lambda: _held(_busy_session(LONG).network(up=False).passes(1), 15).snapshot(),
    "call-waits": lambda: _called(_room(TEN)).snapshot(),
    "call-unanswered": lambda: _called(_room(TEN), 61).snapshot(),
    "call-answered": lambda: _called(_room(TEN), 20, "point-person").snapshot(),
    "call-offline": lambda: _called(_room(TEN).network(up=False)).snapshot(),
    "call-nobody-to-call": lambda: _called(_room(TEN, place=NOBODY), 61).snapshot(),
    "call-in-session": lambda: _called(_room(TEN).start().passes(755), 61).snapshot(),
    "call-in-session-answered": lambda: _called(_room(TEN).start().passes(755), 20, "office").snapshot(),
    "call-in-session-offline": lambda: _called(
        _room(TEN, place=LONG).start().passes(755).network(up=False), 61
    ).snapshot(),
    "call-paused": lambda: _called(_room(TEN).start().passes(300).press().pictures(state="closed"), 61).snapshot(),
    "call-ended": lambda: _called(_held(_busy_session(), 30), 61).snapshot(),
    "call-refused": lambda: _called(_no_camera(LONG).press(), 1, "somebody-else").snapshot(),
    "power-countdown": lambda: _room(TEN).start().passes(300).power_cut(95).passes(1.5).snapshot(),
    "power-unknown": _agent_restarted,
    "power-too-long": lambda: _room(TEN).start().passes(300).power_cut(700).snapshot(),
    "paused-after-power": lambda: (
        _room(TEN).start().press().pictures(state="closed").passes(5).power_cut(60).snapshot()
    ),
}
"""Every picture of the gallery by its name."""


def with_dead_camera(found: Snapshot) -> Snapshot:
    """The same with a desk camera that promised pictures and gives none."""
    return replace(found, cameras={**found.cameras, "overhead": CameraView("open", 0.0, 30.0, 4242)})
