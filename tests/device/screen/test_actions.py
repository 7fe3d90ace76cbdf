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
        ("ready-booking", "Start the 10:15"),
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
    assert found[-1] == "help"


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
    assert [one.label for one in view(snapshot, "en").actions if one.name == "language"] == ["Español"]
    assert [one.label for one in view(snapshot, "es").actions if one.name == "language"] == ["English"]


def test_help_says_what_was_done_and_whom_to_call() -> None:
    found = next(one for one in view(GALLERY["live"](), "en").actions if one.name == "help")
    assert found.done == "Written down. Call 214 as well."
