"""Student cards on the wire: which number is whose, and nothing that is not exactly that."""

import logging
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import Field

from wire.ids import STUDENT_PATTERN

_log = logging.getLogger(__name__)

CARD_NUMBERS: Final = range(50)
"""The markers of OpenCV's DICT_4X4_50."""

CardNumber = Annotated[int, Field(ge=CARD_NUMBERS.start, lt=CARD_NUMBERS.stop)]
"""The number of a card's marker; in JSON a key, and so a text of digits."""

BY_CARD: Final = "card"
"""In a row about a student: a card said so, and no person."""

_STUDENT: Final = re.compile(STUDENT_PATTERN)
_NUMBERS: Final = {str(number): number for number in CARD_NUMBERS}
"""As they are written: `07` and ` 7` are no numbers, or one card could stand twice in one object."""


def by_card(data: Mapping[str, Any]) -> bool:
    """Whether a card said what a row about a student says; a card stops what follows, and undoes nothing."""
    return data.get("by") == BY_CARD


def good_entries(value: Any) -> dict[int, str]:
    """The entries of `value` that give a card's number a student reference; how many do not is logged.

    A wrong card is no reason to lose a day's bookings. What stands in a bad entry is not logged: it may be a name.
    """
    if not isinstance(value, Mapping):
        _log.warning("a schedule's cards are %s, not an object; they are left out", type(value).__name__)
        return {}
    found = {
        _NUMBERS[str(key)]: student
        for key, student in value.items()
        if str(key) in _NUMBERS and isinstance(student, str) and _STUDENT.fullmatch(student)
    }
    if bad := len(value) - len(found):
        _log.warning("%d of a schedule's %d cards are no card's number with a student; left out", bad, len(value))
    return found
