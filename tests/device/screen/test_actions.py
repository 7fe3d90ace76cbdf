"""The controls: none is offered that the machine would refuse."""

from collections.abc import Callable

import pytest

from device.screen.model import Kind, View
from device.screen.view import view
from device.session.machine import step
from device.session.states import Asked, Held, Pressed
from device.snapshot import Snapshot
from tests.device.screen.gallery import GALLERY, GROUP, TEN
from tests.device.screen.room import Room


def names(found: View) -> list[str]:
    return [one.name + one.value for one in found.actions]


@pytest.mark.parametrize("make", GALLERY.values(), ids=GALLERY)
def test_every_control_on_the_screen_is_taken_by_the_machine(make: Callable[[], Snapshot]) -> None:
    snapshot = make()
    for action in view(snapshot, "en").actions:
        assert action.label
        if action.kind is Kind.ASK and action.name != "language":
            _, facts = step(snapshot.state, Asked(action.name, action.value), snapshot.at)
            assert facts, action
        if action.kind is Kind.HOLD and snapshot.at.mono_ns >= snapshot.state.deaf_until_ns:
            after, _ = step(snapshot.state, Held("screen", snapshot.at.mono_ns), snapshot.at)
            assert after != snapshot.state


@pytest.mark.parametrize("make", GALLERY.values(), ids=GALLERY)
def test_a_press_is_offered_where_it_does_something(make: Callable[[], Snapshot]) -> None:
    snapshot = make()
    after, facts = step(snapshot.state, Pressed("screen", snapshot.at.mono_ns), snapshot.at)
    offered = "press" in names(view(snapshot, "en"))
    assert offered == bool(facts or after != snapshot.state) or snapshot.identify


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("ready", "Start"),
        ("ready-booking", "Start the 10:15 early"),
        ("ready-late", "Start the 10:00"),
        ("live", "Pause"),
        ("live-next-waits", "Next: 10:15"),
        ("paused", "Go on"),
        ("paused-going-on", "Stay paused"),
        ("ending", "Go on with the session"),
        ("ended", "Go on with the session"),
        ("booting", "Press the button"),
    ],
)
def test_the_press_is_named_by_what_it_does(name: str, label: str) -> None:
    assert view(GALLERY[name](), "en").actions[0].label == label


def test_in_session_the_controls_are_all_there() -> None:
    found = names(view(GALLERY["live"](), "en"))
    assert found[:7] == ["press", "hold", "extend5", "extend10", "extend15", "not-this-student", "absent"]
    assert found[7:] == ["helpadult", "helpother"]


def test_without_a_student_nobody_is_absent_or_the_wrong_one() -> None:
    found = names(view(GALLERY["live-unplanned"](), "en"))
    assert not {"absent", "not-this-student"} & set(found)


def test_in_a_group_each_student_can_be_absent() -> None:
    found = names(view(Room(GROUP).boot().snapshot(), "en"))
    assert [one for one in found if one.startswith("absent")] == [
        "absents-0418", "absents-0502", "absentab-123456", "absents-0777",
    ]  # fmt: skip


def test_still_here_is_offered_only_where_it_helps() -> None:
    planned = Room(TEN).boot().start()
    assert "still-here" not in names(view(planned.passes(37 * 60).snapshot(), "en")), "it ends by itself in 11 minutes"
    assert "still-here" in names(view(planned.passes(7 * 60).snapshot(), "en")), "... and now in 4"
    paused = Room().boot().start().press().pictures(state="closed")
    assert "still-here" not in names(view(paused.snapshot(), "en"))
    assert "still-here" in names(view(paused.passes(11 * 60).snapshot(), "en"))


def test_the_other_language_is_named_in_its_own() -> None:
    snapshot = GALLERY["ready"]()
    assert [one.label for one in view(snapshot, "en").languages] == ["Español"]
    assert [one.label for one in view(snapshot, "es").languages] == ["English"]


@pytest.mark.parametrize("make", GALLERY.values(), ids=GALLERY)
def test_the_key_for_another_language_is_on_every_screen(make: Callable[[], Snapshot]) -> None:
    assert [one.value for one in view(make(), "en").languages] == ["es"]


def test_help_can_be_called_wherever_somebody_stands_before_the_screen() -> None:
    for name in ("ready", "not-ready-covered", "refused-no-camera", "fault", "live", "offline", "paused", "ended"):
        assert {"helpadult", "helpother"} <= set(names(view(GALLERY[name](), "en"))), name
    assert "help-over" in names(view(GALLERY["call-waits"](), "en")), "and while a call is open it can be ended"


def test_what_else_is_wrong_is_not_said_to_be_sent_without_a_network() -> None:
    def done(name: str) -> str:
        return next(one.done for one in view(GALLERY[name](), "en").actions if one.value == "other")

    assert done("live") == "Written down and sent."
    assert done("offline") == "Written down. It is sent when the network is back."


REASONS = [
    "reasonstudent-absent", "reasonstudent-unavailable", "reasonstudent-declined", "reasontherapist-absent",
    "reasonno-staff-or-room", "reasonschool-event", "reasontechnical", "reasonother", "skip-reason",
]  # fmt: skip


def test_why_is_asked_where_something_was_not_as_planned_and_nowhere_else() -> None:
    asked = {name for name, make in GALLERY.items() if view(make(), "en").ask}
    early = {"ended", "ended-early", "ended-early-long", "ended-long", "call-ended", "power-too-long"}
    assert asked == early | {"not-ready-overdue", "not-ready-overdue-of-eight", "did-not-happen", "ready-late"}
    for name in asked:
        found = names(view(GALLERY[name](), "en"))
        assert [one for one in found if "reason" in one] == REASONS
