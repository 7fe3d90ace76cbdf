"""Roles and what each may do. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a person, or a program, is to this fleet."""

    IT = "it"
    THERAPIST = "therapist"
    AIDE = "aide"
    AUDITOR = "auditor"
    SERVICE = "service"
    PORTAL = "portal"
    """A program through which therapists work: a service that may also fetch pictures."""


class Right(StrEnum):
    """What can be allowed."""

    READ = "read"
    """Kiosks, readiness, sessions."""
    READ_LEDGER = "read_ledger"
    COMMAND = "command"
    VIEW_STILLS = "view_stills"
    """The pictures themselves; their figures go with the ledger."""
    READ_AUDIT = "read_audit"
    ANSWER = "answer"
    """Acknowledge and report incidents, and say that what was reported is over."""
    SUPPRESS = "suppress"
    """Take an incident out of verdict and notices for a time."""
    NOTICE_ROUTES = "notice_routes"
    """Say who is told, and see their addresses."""
    PLAN = "plan"
    """Bookings, closures, calendars, rooms, cards, mandates, consents. Whose bookings they are goes with the ledger."""
    ENROL = "enrol"
    """Claims, who gets an identity and who loses it."""
    CONFIRM = "confirm"
    """Say which minutes were provided, and why a session was not held: a clinician's word, in no helper's role."""


_WORKS: Final = frozenset({Right.READ, Right.READ_LEDGER, Right.COMMAND, Right.PLAN, Right.ANSWER})
_RUNS: Final = frozenset({Right.READ_AUDIT, Right.SUPPRESS, Right.NOTICE_ROUTES, Right.ENROL})
_RIGHTS: Final = {
    Role.IT: _WORKS | _RUNS,
    Role.THERAPIST: _WORKS | {Right.VIEW_STILLS, Right.CONFIRM},
    Role.AIDE: frozenset({Right.READ, Right.ANSWER}),
    Role.AUDITOR: frozenset({Right.READ, Right.READ_LEDGER, Right.READ_AUDIT}),
    Role.SERVICE: _WORKS | _RUNS,
    Role.PORTAL: frozenset(Right) - {Right.ENROL},
}
"""Nobody gets a right for convenience: who needs no child's picture sees none (docs/adr/0015)."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks."""

    name: str
    role: Role
    campuses: frozenset[str] | None
    """None is all campuses."""

    def may(self, right: Right) -> bool:
        """Whether the role has this right, on its own campuses."""
        return right in _RIGHTS[self.role]

    def sees(self, campus: str) -> bool:
        """Whether the campus is one of theirs; what is not does not exist for them."""
        return self.campuses is None or campus in self.campuses

    @property
    def may_command(self) -> bool:
        """Whether requests to kiosks are allowed."""
        return self.may(Right.COMMAND)
