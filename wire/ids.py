"""The identifiers of the contract, as types that refuse what does not match."""

import re
from typing import Annotated, Final

from pydantic import StringConstraints

ID_PATTERN: Final = r"[a-z0-9][a-z0-9-]{1,38}[a-z0-9]"
STUDENT_PATTERN: Final = r"[a-z]{1,2}-[0-9]{3,6}"

Id = Annotated[str, StringConstraints(pattern=rf"^{ID_PATTERN}\z", max_length=40)]
"""A campus, kiosk or room: 3 to 40 of `a-z 0-9 -`, no dash at either end."""

StudentRef = Annotated[str, StringConstraints(pattern=rf"^{STUDENT_PATTERN}\z")]
"""An opaque student reference such as `s-0418`; a longer digit string would be a district id and is refused."""

_ID: Final = re.compile(ID_PATTERN)
_STUDENT: Final = re.compile(STUDENT_PATTERN)


def is_id(text: str) -> bool:
    """Whether `text` may name a campus or a kiosk."""
    return _ID.fullmatch(text) is not None


def is_student(text: str) -> bool:
    """Whether `text` may be an opaque student reference."""
    return _STUDENT.fullmatch(text) is not None
