"""The panel on gpiozero's mock pins: the very code that runs on a Pi's."""

import threading
import time
from collections.abc import Iterator

import pytest

from device.errors import PanelError
from device.gestures import Gesture, Kind
from device.panel import Lamp, Panel
from device.settings import PanelSettings
from lab.kit import Hand, SimulatedKit

PINS = PanelSettings()
WITHIN_S = 5.0


class Room:
    """A panel, the kit below it, and what was heard."""

    def __init__(self) -> None:
        self.kit = SimulatedKit()
        self.heard: list[Gesture] = []
        self._news = threading.Condition()
        self.panel = Panel(PINS, self._hear, self.kit.pin_factory)
        self.panel.start()

    def _hear(self, gesture: Gesture) -> None:
        with self._news:
            self.heard.append(gesture)
            self._news.notify()

    def wait_for(self, kind: Kind) -> None:
        with self._news:
            assert self._news.wait_for(lambda: any(one.kind is kind for one in self.heard), WITHIN_S)


@pytest.fixture
def room() -> Iterator[Room]:
    found = Room()
    yield found
    found.panel.stop()


def test_a_press_on_the_pin_is_heard_and_the_lamp_answers_before_anyone_else(room: Room) -> None:
    room.kit.move(Hand.PRESS, PINS)
    room.wait_for(Kind.PRESS)
    assert room.panel.lamp is Lamp.HEARD
    assert room.kit.pin_factory.pin(PINS.lamp_pin).state


def test_a_bouncing_press_is_one_press(room: Room) -> None:
    room.kit.move(Hand.BOUNCE, PINS)
    room.wait_for(Kind.PRESS)
    time.sleep(0.2)
    assert [one.kind for one in room.heard] == [Kind.PRESS]


def test_a_hold_is_a_press_and_then_a_hold(room: Room) -> None:
    room.kit.move(Hand.HOLD, PINS)
    room.wait_for(Kind.HOLD)
    assert [one.kind for one in room.heard] == [Kind.PRESS, Kind.HOLD]


def test_the_camera_lamp_is_read_back_from_its_pin(room: Room) -> None:
    room.panel.show_cameras(open_=True)
    assert room.panel.camera_lamp
    assert room.kit.pin_factory.pin(PINS.camera_lamp_pin).state
    room.panel.show_cameras(open_=False)
    assert not room.panel.camera_lamp


def test_paused_blinks_the_lamp(room: Room) -> None:
    room.panel.show(Lamp.PAUSED)
    pin = room.kit.pin_factory.pin(PINS.lamp_pin)
    until = time.monotonic() + WITHIN_S
    while len(pin.states) < 4 and time.monotonic() < until:
        time.sleep(0.05)
    assert {bool(one.state) for one in pin.states} == {True, False}


def test_pins_that_are_taken_are_named() -> None:
    kit = SimulatedKit()
    panel = Panel(PINS, lambda _gesture: None, kit.pin_factory)
    panel.start()
    try:
        with pytest.raises(PanelError, match="GPIO17"):
            Panel(PINS, lambda _gesture: None, kit.pin_factory)
    finally:
        panel.stop()
