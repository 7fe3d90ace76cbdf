"""The 40-way header that every Raspberry Pi since the B+ has: which of its pins is which."""

from typing import Final

PINS: Final = {
    2: 3, 3: 5, 4: 7, 14: 8, 15: 10, 17: 11, 18: 12, 27: 13, 22: 15, 23: 16, 24: 18, 10: 19, 9: 21, 25: 22,
    11: 23, 8: 24, 7: 26, 0: 27, 1: 28, 5: 29, 6: 31, 12: 32, 13: 33, 19: 35, 16: 36, 26: 37, 20: 38, 21: 40,
}  # fmt: skip
"""BCM number to the header's own, as `pinout` prints it on a Pi."""

GROUNDS: Final = (6, 9, 14, 20, 25, 30, 34, 39)
SUPPLIES: Final = {1: "3.3 V", 17: "3.3 V", 2: "5 V", 4: "5 V"}
PIN_V: Final = 3.3
PIN_MA: Final = 8.0
"""What a pin gives as it is after power-on (Raspberry Pi's documentation, GPIO: drive strength 3)."""


def lamp_ma(lamp_v: float, lamp_ohm: float) -> float:
    """What an LED takes through its resistor, milliamperes."""
    return (PIN_V - lamp_v) / lamp_ohm * 1000
