"""The wrong student: somebody in the room said that another one sat there, so no picture of it may be kept."""

from typing import Final

from wire.cards import by_card
from wire.ledger import row_of

TYPE: Final = "student.wrong"
"""The ledger type that says so, if a person did."""
REASON: Final = "not-this-student"
"""Why a picture is gone, as it is kept and told ..."""
WORDS: Final = "somebody in the room said that another student sat there"
"""... and in words."""


def said_by_person(body: str) -> bool:
    """Whether a person said what a row of this type says, not a card; `body` is the row as it was kept."""
    return not by_card(row_of(body).data)
