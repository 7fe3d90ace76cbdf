"""What can go wrong in the fleet service.

FleetError
├── SettingsUnusable   the settings file or something that it names cannot be used
├── StoreDown          the database does not take or give anything at the moment; try again
├── PortTaken          another program listens on our port
├── LinkDown           no broker is connected
├── AuditBroken        the audit is not as it was written
├── SegmentUnreadable  a sealed segment cannot be opened, or only up to where it was changed
└── Refused            a request that gets an answer in words, with its HTTP status
    ├── NotSignedIn    401
    ├── NotAllowed     403
    ├── NotFound       404
    ├── Conflict       409
    ├── Gone           410
    ├── BadValue       422, names the field
    ├── BadRows        422, names every line and column that does not fit
    ├── TooMany        429, names the seconds to wait
    └── Unavailable    503
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final


class FleetError(Exception):
    """Anything that this service can explain."""


class SettingsUnusable(FleetError):
    """The message names the file or key and what to do."""


class StoreDown(FleetError):
    """Locked, full, read-only or gone; nothing of the transaction was kept."""


class PortTaken(FleetError):
    """Another program listens there."""


class LinkDown(FleetError):
    """No broker is connected, so nothing can be sent."""


class AuditBroken(FleetError):
    """A row of the audit was changed, moved or removed; the message names it."""


class SegmentUnreadable(FleetError):
    """A sealed segment cannot be opened: a key we do not hold, or something in it was changed."""

    def __init__(self, message: str, duration_ms: int = 0) -> None:
        super().__init__(message)
        self.duration_ms = duration_ms
        """How much of its beginning was opened all the same."""


class Refused(FleetError):
    """A request that was understood and is not done; the message says why to whoever asked."""

    status: ClassVar[int] = 400
    title: ClassVar[str] = "This request cannot be used"


class NotSignedIn(Refused):
    """No token and no session, or one that is wrong, expired or withdrawn."""

    status = 401
    title = "Not signed in"


class NotAllowed(Refused):
    """Signed in, but not for this."""

    status = 403
    title = "Not allowed"


class NotFound(Refused):
    """It does not exist, or not for this reader."""

    status = 404
    title = "Not found"


class Conflict(Refused):
    """It cannot be done as things are now."""

    status = 409
    title = "Not possible now"


class Gone(Refused):
    """It was here and is not any more, on purpose."""

    status = 410
    title = "Not here any more"


class BadValue(Refused):
    """A value does not fit."""

    status = 422
    title = "A value does not fit"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class RowFault:
    """One value of a file that does not fit."""

    message: str
    line: int | None = None
    """As a text editor counts; of a calendar the line on which its event begins."""
    column: str | None = None
    """By the name in the file's own header."""
    is_conflict: bool = False
    """It fits by itself, but not beside what is booked or closed already."""

    @property
    def where(self) -> str:
        """In words."""
        if self.line is None:
            return self.column or "file"
        return f"line {self.line}, {self.column}" if self.column else f"line {self.line}"


MOST_FAULTS: Final = 1_000
"""So many are named; the rest are counted."""


class BadRows(Refused):
    """Something of a file or of a request does not fit, so nothing of it was kept."""

    status = 422
    title = "A value does not fit"

    def __init__(self, faults: Sequence[RowFault]) -> None:
        count = "1 value does" if len(faults) == 1 else f"{len(faults)} values do"
        first = "; ".join(f"{one.where}: {one.message}" for one in faults[:3])
        super().__init__(f"{count} not fit, and nothing was changed. {first}{' …' if len(faults) > 3 else ''}")
        self.faults = tuple(faults[:MOST_FAULTS])


class TooMany(Refused):
    """Too many wrong attempts."""

    status = 429
    title = "Too many attempts"

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"Too many wrong attempts from this address. Try again in {wait_s:.0f} s.")
        self.wait_s = wait_s


class Unavailable(Refused):
    """Something that this needs is down."""

    status = 503
    title = "Not available now"
