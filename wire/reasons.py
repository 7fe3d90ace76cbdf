"""Why a session ended early or did not happen, as the room says: the rows `reason.given` and `reason.skipped`."""

from typing import Final

from wire.codec import WireModel

REASONS: Final = (
    "student-absent", "student-unavailable", "student-declined", "therapist-absent", "no-staff-or-room", "school-event",
    "technical", "other",
)  # fmt: skip
"""What may be answered, in the order in which it is shown."""


class ReasonGiven(WireModel):
    """What somebody in the room answered, or said unasked (no `about`); a therapist's answer is kept beside it."""

    reason: str
    """From the closed list of the kiosk that wrote it."""
    about: str | None = None
    """`ended-early`, `not-started` (its window is open still) or `did-not-happen`."""
    booking: str | None = None


class ReasonSkipped(WireModel):
    """Somebody in the room was asked why and did not say."""

    about: str
    booking: str | None = None
