"""What can go wrong on a kiosk, as its callers meet it.

KioskError
├── Refused            an action does not fit the state; the message is for the person who asked
├── CommandRefused     a request of the fleet is not carried out: a stable word, and words for the person who asked
├── LedgerError
│   ├── LedgerUnwritable   the disk refuses; rows are kept in memory and tried again
│   ├── LedgerDamaged      the file is not a ledger any more
│   └── AnswerRefused      the fleet answered about rows that are not these; nothing was done
├── UploadTrouble      a recording cannot be sent now, or may not be: a stable word, and words for the log
├── ShelfError         recorded video cannot be kept, read or destroyed: disk full, read-only, failing
├── IdentityTrouble    no certificate can be had or kept; `again` says whether asking once more may help
├── PlacementUnwritable  how the cameras were set up cannot be kept: disk full, read-only, failing
├── BundleRefused      the bundle on the card is not as it was signed, or cannot be taken over
├── CatalogueUnreadable  the sentences of a language cannot be read
├── SoundError         a microphone or loudspeaker cannot be had
├── PanelError         the pins of button and lamps cannot be had
└── StartError         the agent cannot start: port, settings or folder
"""


class KioskError(Exception):
    """Anything that goes wrong on a kiosk and has a name."""


class IdentityTrouble(KioskError):
    """No certificate can be had or kept; what was in use stays so."""

    def __init__(self, message: str, *, again: bool = False) -> None:
        super().__init__(message)
        self.again = again
        """Whether asking once more may help."""


class Refused(KioskError):
    """An action that does not fit the state."""


class CommandRefused(KioskError):
    """A request of the fleet that is not carried out; `reason` is a short stable word."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class LedgerError(KioskError):
    """The journal of session facts cannot do its work."""


class LedgerUnwritable(LedgerError):
    """The disk refuses to write; the rows stay in memory and are tried again."""


class LedgerDamaged(LedgerError):
    """The ledger file cannot be read as a ledger."""


class AnswerRefused(LedgerError):
    """An answer of the fleet that is not about these rows: another epoch, more than was sent, another hash."""


class BundleRefused(KioskError):
    """The bundle on the card is not as its campus signed it, or cannot be taken over; what was there before stays."""


class ShelfError(KioskError):
    """Recorded video cannot be kept, read or destroyed; the message says why and what to do."""


class UploadTrouble(KioskError):
    """A recording is not sent, or its receipt does not count; `reason` is a short stable word. Nothing is deleted."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class PlacementUnwritable(KioskError):
    """How the cameras were set up cannot be kept; what was kept before is still there."""


class CatalogueUnreadable(KioskError):
    """The sentences of a language cannot be read; the message names file and line."""


class SoundError(KioskError):
    """A microphone or loudspeaker cannot be had; the message is the driver's."""


class PanelError(KioskError):
    """The pins of button and lamps cannot be had."""


class StartError(KioskError):
    """The agent cannot start; the message says what to change."""
