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


class Right(StrEnum):
    """What can be allowed."""

    READ = "read"
    """Kiosks, readiness, sessions."""
    READ_LEDGER = "read_ledger"
    COMMAND = "command"


_RIGHTS: Final = {
    Role.IT: frozenset(Right),
    Role.THERAPIST: frozenset(Right),
    Role.AIDE: frozenset({Right.READ}),
    Role.AUDITOR: frozenset({Right.READ, Right.READ_LEDGER}),
    Role.SERVICE: frozenset(Right),
}


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
