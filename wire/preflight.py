"""What a kiosk found when it was looked over before a booking, or because somebody asked.

The answer to the command `preflight` is one of these; the last one, asked for or not, stands in `Readiness`.
"""

from typing import Annotated, Any, Final

from pydantic import AwareDatetime, Field, NonNegativeInt

from wire.codec import WireModel
from wire.ids import Id
from wire.signals import Verdict

BEFORE_MIN: Final = (30, 10, 2)
"""Minutes before a booking's start at which a kiosk looks by itself, the earliest first."""

_Word = Annotated[str, Field(max_length=40)]
_Sentence = Annotated[str, Field(max_length=200)]


class Check(WireModel):
    """One thing that was looked at."""

    name: _Word
    """`camera`, `picture`, `audio`, `link`, `storage`, `button` or `clock`; another one is shown as it is."""
    role: _Word | None = None
    """Of the camera, where it is about one."""
    ok: bool | None = None
    """Null is unknown: there is nothing fitted to look at, or it did not answer in time."""
    why: _Sentence | None = None
    """In English words for who reads the fleet's pages; null where all is well."""
    evidence: dict[str, Any] = Field(default_factory=dict)


class Preflight(WireModel):
    """A look at everything that a session needs."""

    at: AwareDatetime
    """When it began."""
    took_ms: NonNegativeInt
    booking: Id | None = None
    """For which it was made; null when somebody asked."""
    verdict: Verdict
    checks: Annotated[tuple[Check, ...], Field(max_length=40)] = ()
