"""The simulated kit's button: gpiozero's mock pins, moved as a hand would."""

import threading
import time
from enum import StrEnum
from typing import Any, Final

from gpiozero.pins.mock import MockFactory

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


class SimulatedKit:
    """Mock pins for one kiosk, with stimulus. The panel above them is the product's own."""

    def __init__(self) -> None:
        self.pin_factory: Any = MockFactory()
        self._moving = threading.Lock()

    def move(self, hand: Hand, pins: PanelSettings) -> None:
        """Do it in real time; a button left stuck is freed by the next movement."""
        with self._moving:
            pin = self.pin_factory.pin(pins.button_pin)
            pin.drive_high()
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
