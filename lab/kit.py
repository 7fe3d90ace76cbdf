"""The simulated kit's button: gpiozero's mock pins, moved as a hand would."""

import threading
import time
from enum import StrEnum
from typing import Any, Final

from gpiozero.pins.mock import MockFactory, MockPin

from device.settings import PanelSettings

PRESS_S: Final = 0.12
HOLD_S: Final = 2.3
BOUNCES: Final = 100
"""Down and up each: 200 edges, about what a worn contact gives (docs/threat-model.md, G2)."""


class Hand(StrEnum):
    """What can be done to the button."""

    PRESS = "press"
    HOLD = "hold"
    BOUNCE = "bounce"
    STUCK = "stuck"
    FREE = "free"


class _Pin(MockPin):  # type: ignore[misc]  # gpiozero publishes no types
    """A pin that can be shorted to ground: whatever drives it, it is low."""

    def __init__(self, factory: Any, info: Any) -> None:
        self.shorted = False
        super().__init__(factory, info)

    def short(self, *, shorted: bool) -> None:
        """Lay a wire from it to ground, or take it away; what drives it next shows."""
        self.shorted = shorted
        if shorted:
            self._change_state(False)  # noqa: FBT003 - gpiozero's own signature

    def _set_state(self, value: Any) -> None:
        super()._set_state(0 if self.shorted else value)


class SimulatedKit:
    """Mock pins for one kiosk, with stimulus. The panel above them is the product's own."""

    def __init__(self) -> None:
        self.pin_factory: Any = MockFactory(pin_class=_Pin)
        self._moving = threading.Lock()

    def move(self, hand: Hand, pins: PanelSettings) -> None:
        """Do it in real time; a button left stuck is freed by the next movement, or by `free` alone."""
        with self._moving:
            pin = self.pin_factory.pin(pins.button_pin)
            pin.drive_high()
            if hand is Hand.FREE:
                return
            time.sleep(0.05)
            if hand is Hand.BOUNCE:
                for _ in range(BOUNCES):
                    pin.drive_low()
                    pin.drive_high()
            pin.drive_low()
            if hand is Hand.STUCK:
                return
            time.sleep(HOLD_S if hand is Hand.HOLD else PRESS_S)
            pin.drive_high()

    def darken_lamp(self, pins: PanelSettings, *, dark: bool) -> None:
        """Short the cameras' lamp, or mend it."""
        self.pin_factory.pin(pins.camera_lamp_pin).short(shorted=dark)

    def shut(self, role: str, pins: PanelSettings, *, closed: bool) -> None:
        """Close a camera's shutter, or open it: its contact."""
        number = {"overhead": pins.overhead_shutter_pin, "front": pins.front_shutter_pin}[role]
        if number is not None:
            pin = self.pin_factory.pin(number)
            (pin.drive_low if closed else pin.drive_high)()
