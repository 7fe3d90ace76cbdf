"""When a V4L2 driver says a picture was taken, and whether that is believed."""

from typing import Final

_OLD_NS: Final = 2_000_000_000


def captured_ns(stamp_ns: float | None, arrived_ns: int) -> int:
    """When a picture was taken, CLOCK_MONOTONIC: as the driver says if that can be true, else when it arrived.

    Args:
        stamp_ns: the driver's word; drivers may have another clock, or stamp with nonsense.
        arrived_ns: when it was read.
    """
    if stamp_ns is None or not arrived_ns - _OLD_NS <= stamp_ns <= arrived_ns:
        return arrived_ns
    return int(stamp_ns)
