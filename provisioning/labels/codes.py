"""The short code of a kiosk, for people who cannot scan: `3K7QF-8`. Made of its running number, it is no secret.

Crockford's base 32 (crockford.com/base32.html): no I, L, O or U, and a check symbol, so that one wrong letter and two
exchanged ones are noticed.
"""

from typing import Final

_SYMBOLS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHECKS: Final = f"{_SYMBOLS}*~$=U"
_LENGTH: Final = 5
_ALL: Final = 32**_LENGTH
_SPREAD: Final = 12_820_909
"""Odd, so that multiplying by it modulo a power of two is a bijection: neighbours in the roster get codes far apart."""
_ALIKE: Final = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})


def code(number: int) -> str:
    """The code of the kiosk with this running number, counted from 1.

    Raises:
        ValueError: there are no codes for so many.
    """
    if not 0 < number < _ALL:
        raise ValueError(f"there is no code for kiosk number {number}; there are {_ALL - 1}")
    spread = number * _SPREAD % _ALL
    symbols = "".join(_SYMBOLS[spread >> 5 * place & 31] for place in reversed(range(_LENGTH)))
    return f"{symbols}-{_CHECKS[spread % len(_CHECKS)]}"


def number(text: str) -> int:
    """The running number behind a code as somebody typed it.

    Raises:
        ValueError: it is none, or a letter is wrong.
    """
    typed = text.upper().translate(_ALIKE)
    if len(typed) != _LENGTH + 1 or any(letter not in _SYMBOLS for letter in typed[:-1]) or typed[-1] not in _CHECKS:
        raise ValueError(f"{text!r:.40} is no kiosk's code; it looks like {code(1)}")
    spread = 0
    for letter in typed[:-1]:
        spread = spread << 5 | _SYMBOLS.index(letter)
    if _CHECKS.index(typed[-1]) != spread % len(_CHECKS):
        raise ValueError(f"{text!r}: a letter is wrong; look at the label again")
    return spread * pow(_SPREAD, -1, _ALL) % _ALL
