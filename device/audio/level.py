"""How loud a second of sound was, in decibels relative to full scale. Pure; the sound itself goes no further."""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul
from typing import Final

FULL_SCALE: Final = 32_768.0
LEAST_DBFS: Final = -120.0
"""What digital silence is called: less than one step of 16 bits (-90.3 dBFS), so that no figure is infinite."""
FLOOR_DBFS: Final = -80.0
"""A microphone that works hears its own noise: at 16 bits a muted one gives zeros or the last bit, under -87 dBFS, and
a quiet classroom with a desk microphone is well over -70."""


@dataclass(frozen=True, slots=True)
class Level:
    """One window, in dBFS; never over 0, never under `LEAST_DBFS`."""

    rms_dbfs: float
    peak_dbfs: float


def level(samples: Sequence[int]) -> Level:
    """The level of a window of 16-bit samples; digital silence for none at all."""
    if not samples:
        return Level(LEAST_DBFS, LEAST_DBFS)
    values = samples if isinstance(samples, array) else array("h", samples)
    rms = math.sqrt(sum(map(mul, values, values)) / len(values))
    return Level(_dbfs(rms), _dbfs(max(abs(max(values)), abs(min(values)))))


def is_silent(heard: Sequence[Level], floor_dbfs: float) -> bool:
    """Whether the level was never above the floor; nothing heard is no evidence of silence."""
    return bool(heard) and all(one.rms_dbfs <= floor_dbfs for one in heard)


def _dbfs(value: float) -> float:
    return LEAST_DBFS if value <= 0 else round(max(LEAST_DBFS, 20 * math.log10(value / FULL_SCALE)), 1)
