"""An adult called from the room, and who answered: what the row `help.called` and the command `help-answered` say."""

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from wire.codec import WireModel
from wire.ids import Id

HELP_ANSWERED: Final = "help-answered"
"""The command by which the fleet tells a kiosk that somebody answers its call."""

HelpKind = Literal["adult", "other"]
"""`adult`: somebody is to come. `other`: something is wrong that no signal names."""
RoleWord = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{1,30}\z")]
CallId = Annotated[str, Field(min_length=1, max_length=40)]


class HelpCalled(WireModel):
    """Somebody in the room called."""

    kind: HelpKind
    call: CallId | None = None
    """Which call it is; null in rows of kiosks that knew of one at a time only."""


class HelpAnswered(WireModel):
    """Somebody answers the call. In which role is shown in the room; who it is stays a reference."""

    by_role: RoleWord
    """Such as `point-person`, `office`, `therapist`, `it`; a word that a kiosk does not know reads "somebody"."""
    by: Id | None = None
    call: CallId | None = None
    """Left out, the call that is open."""


class HelpOver(WireModel):
    """Somebody in the room said that the call is over."""

    call: CallId | None = None
