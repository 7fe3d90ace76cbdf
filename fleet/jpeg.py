"""How large a JPEG says it is, without decoding it. Pure."""

from typing import Final

_START: Final = b"\xff\xd8"
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Start-of-frame markers (ITU-T T.81, table B.1): the size stands behind them."""
_SCAN: Final = 0xDA


def size(jpeg: bytes) -> tuple[int, int] | None:
    """Width and height in pixels; None where this is no JPEG."""
    at = len(_START)
    while jpeg.startswith(_START) and at + 9 <= len(jpeg) and jpeg[at] == 0xFF:
        marker = jpeg[at + 1]
        if marker in _FRAMES:
            height, width = (int.from_bytes(jpeg[place : place + 2], "big") for place in (at + 5, at + 7))
            return width, height
        length = int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if marker == _SCAN or length < 2:
            break
        at += 2 + length
    return None
