"""The signals that no kiosk can give of itself: its silence, and what a person in the room says. Rows as in wire/."""

from typing import Final

from wire.signal_table import SIGNALS
from wire.signal_table import words as kiosk_words
from wire.signals import Severity, Signal

SILENT: Final = "kiosk.silent"
HELP_ADULT: Final = "help.adult"
HELP_OTHER: Final = "help.other"

HELP: Final = {"adult": HELP_ADULT, "other": HELP_OTHER}
"""By the kind of a call for help: the signal it is here."""

OWN: Final = {
    row.id: row
    for row in (
        Signal(
            id=SILENT,
            severity=Severity.ATTENTION,
            within_s=60,
            hold_s=15,
            clear_s=2,
            true_when="a valid death, or 45 s without a sign; the hold outlives a restart of the agent",
            aide="Look whether the kiosk has power and its network cable.",
            therapist="The kiosk is not heard from. If a session runs, it keeps its own record.",
            it="No sign of life; power, network or broker. What it was doing when last heard stands on its page.",
        ),
        Signal(
            id=HELP_ADULT,
            severity=Severity.ATTENTION,
            within_s=1,
            hold_s=0,
            clear_s=0,
            true_when="somebody at the kiosk, or here, called for an adult",
            aide="Go to the room.",
            therapist="The room called for an adult.",
            it="Pressed on the kiosk's screen, or reported here.",
        ),
        Signal(
            id=HELP_OTHER,
            severity=Severity.ATTENTION,
            within_s=1,
            hold_s=0,
            clear_s=0,
            true_when="somebody at the kiosk, or here, said that something else is wrong",
            aide="Ask in the room what is wrong.",
            therapist="The room says that something is wrong.",
            it="No signal names it; ask in the room.",
        ),
    )
}
"""Every row by its id."""

REPORTED: Final = frozenset(HELP.values())
"""What a person said: nothing clears it but a person, or a day."""


def words(signal: str, role: str | None, reader: str) -> str:
    """What `signal` means to `reader` (`aide`, `therapist` or `it`); one that nobody here knows is called by its id."""
    row = OWN.get(signal)
    if row is None:
        return kiosk_words(signal, role, reader)
    text: str = getattr(row, reader)
    return text


def is_known(signal: str) -> bool:
    """Whether this version has words for it."""
    return signal in OWN or signal in SIGNALS
