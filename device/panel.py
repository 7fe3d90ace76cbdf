"""Button and lamps through gpiozero: real pins on a Pi, gpiozero's mock pins in the lab, the same code above them.

A thread of its own turns edges into gestures and shows "heard" on the lamp before anything else is asked, so that a
press is answered in milliseconds whatever the rest of the agent does.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

from gpiozero import LED, DigitalInputDevice
from gpiozero.exc import GPIOZeroError

from device.errors import PanelError
from device.gestures import Gesture, Gestures, Kind
from device.settings import PanelSettings

_log = logging.getLogger(__name__)

_STOP_WITHIN_S: Final = 2.0
_EDGES_KEPT: Final = 1024


class Lamp(StrEnum):
    """What the ring of light in the button shows."""

    OFF = "off"
    HEARD = "heard"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    ENDING = "ending"
    REFUSED = "refused"


BLINK_S: Final = {
    Lamp.STARTING: (0.25, 0.25),
    Lamp.PAUSED: (1.0, 1.0),
    Lamp.ENDING: (0.8, 0.2),
    Lamp.REFUSED: (0.15, 0.85),
}
"""Seconds on and off, each its own: quick and even, slow and even, mostly lit, mostly dark. Never three flashes in a
second (WCAG 2.3.1): a child who is sensitive to them sits in front of it."""


class Panel:
    """The button's lead, its lamp, and the cameras' lamp."""

    def __init__(self, pins: PanelSettings, on_gesture: Callable[[Gesture], None], pin_factory: Any = None) -> None:
        """Take the pins; `on_gesture` is called from the panel's own thread.

        Args:
            pins: BCM numbers.
            on_gesture: what to tell of each gesture.
            pin_factory: a gpiozero factory; None chooses the machine's own (lgpio on a Pi).

        Raises:
            PanelError: there are no such pins here, or something else holds them.
        """
        self._on_gesture = on_gesture
        try:
            self._button = DigitalInputDevice(pins.button_pin, pull_up=True, pin_factory=pin_factory)
            self._lamp_pin = LED(pins.lamp_pin, pin_factory=pin_factory)
            self._camera_lamp_pin = LED(pins.camera_lamp_pin, pin_factory=pin_factory)
            self._shutters = {
                role: DigitalInputDevice(pin, pull_up=True, pin_factory=pin_factory)
                for role, pin in (("overhead", pins.overhead_shutter_pin), ("front", pins.front_shutter_pin))
                if pin is not None
            }
        except (GPIOZeroError, OSError, ImportError) as error:
            raise PanelError(f"button and lamps cannot be had: {error}") from error
        self.lamp = Lamp.OFF
        self._edges: deque[tuple[int, bool]] = deque(maxlen=_EDGES_KEPT)
        self._wake = threading.Condition()
        self._stopping = False
        self._gestures = Gestures(time.monotonic_ns(), down=self._button.is_active)
        self._thread = threading.Thread(target=self._run, name="kiosk.panel", daemon=True)

    def start(self) -> None:
        """Listen to the button."""
        self._button.when_activated = lambda: self._edge(down=True)
        self._button.when_deactivated = lambda: self._edge(down=False)
        self._thread.start()

    def stop(self) -> None:
        """Let go of the pins; both lamps go dark."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join(_STOP_WITHIN_S)
        if self._thread.is_alive():
            _log.error("the panel's thread did not stop within %.0f s", _STOP_WITHIN_S)
        for device in (self._button, self._lamp_pin, self._camera_lamp_pin, *self._shutters.values()):
            device.close()

    def show(self, lamp: Lamp) -> None:
        """Set the button's lamp."""
        if lamp is self.lamp:
            return
        self.lamp = lamp
        if lamp in BLINK_S:
            on_s, off_s = BLINK_S[lamp]
            self._lamp_pin.blink(on_s, off_s)
        elif lamp is Lamp.OFF:
            self._lamp_pin.off()
        else:
            self._lamp_pin.on()

    @property
    def camera_lamp(self) -> bool:
        """The cameras' lamp as read back from its pin."""
        return bool(self._camera_lamp_pin.is_lit)

    def shutters(self) -> dict[str, bool]:
        """By role, whether the contact says that the camera's shutter is closed; only those that are fitted."""
        return {role: bool(contact.is_active) for role, contact in self._shutters.items()}

    def show_cameras(self, *, open_: bool) -> None:
        """Set the cameras' lamp."""
        self._camera_lamp_pin.value = open_

    def _edge(self, *, down: bool) -> None:
        with self._wake:
            self._edges.append((time.monotonic_ns(), down))
            self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                if not self._edges and not self._stopping:
                    self._wake.wait(self._patience_s())
                if self._stopping:
                    return
                edges = list(self._edges)
                self._edges.clear()
            found = [gesture for at_ns, down in edges for gesture in self._gestures.edge(at_ns, down=down)]
            found += self._gestures.advance(time.monotonic_ns())
            for gesture in found:
                if gesture.kind is Kind.PRESS:
                    self.show(Lamp.HEARD)
                self._on_gesture(gesture)

    def _patience_s(self) -> float | None:
        wake_ns = self._gestures.wake_ns()
        return None if wake_ns is None else max(0.0, (wake_ns - time.monotonic_ns()) / 1e9)
