"""What can go wrong while provisioning.

ProvisioningError
├── RegisterUnusable   the register's file cannot be read or written
├── CampusRefused      a campus is not valid, unknown, or already registered differently
├── RosterRefused      a roster has rows that cannot be used; it names each, and nothing was changed
├── SecretsRefused     a file of secrets may be read by others, or lacks what the campus's file refers to
├── NetworkRefused     a network cannot be joined safely as it is described
├── BundleRefused      a bundle is not what its campus signed, or cannot be written
├── LabelsRefused      a sheet of labels cannot be made or written
├── AuthorityUnusable  a key, a certificate or a folder of an authority cannot be used
├── RequestRefused     a certificate is not made, because of what was asked or by whom
│   └── CloneSuspected somebody else has, or had, what only this kiosk can have
└── BrokerUnusable     the broker's configuration cannot be written, or a running broker not be told
"""

from collections.abc import Sequence
from dataclasses import dataclass


class ProvisioningError(Exception):
    """Anything that goes wrong while provisioning and has a name."""


class RegisterUnusable(ProvisioningError):
    """The register's file cannot be read or written."""


class CampusRefused(ProvisioningError):
    """A campus is not valid, unknown, or already registered differently."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in one cell, or with a whole line or file where `column` or `line` say nothing."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        where = [f"line {self.line}"] if self.line else []
        return ", ".join([*where, *([self.column] if self.column else [])]) + (": " if where else "") + self.message


class RosterRefused(ProvisioningError):
    """A roster has rows that cannot be used; `problems` names each of them."""

    def __init__(self, name: str, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda one: one.line))
        many = f"{len(self.problems)} problem{'' if len(self.problems) == 1 else 's'}"
        told = "".join(f"\n  {one}" for one in self.problems)
        super().__init__(f"{name}: {many}; nothing was changed{told}")


class SecretsRefused(ProvisioningError):
    """A file of secrets may be read by others, or lacks what the campus's file refers to."""


class NetworkRefused(ProvisioningError):
    """A network cannot be joined safely as it is described."""


class BundleRefused(ProvisioningError):
    """A bundle is not what its campus signed, or cannot be written."""


class LabelsRefused(ProvisioningError):
    """A sheet of labels cannot be made or written."""


class AuthorityUnusable(ProvisioningError):
    """A key, a certificate or a folder of an authority cannot be used."""


class RequestRefused(ProvisioningError):
    """A certificate is not made, because of what was asked or by whom."""


class CloneSuspected(RequestRefused):
    """Somebody else has, or had, what only this kiosk can have: a card was copied, or a kiosk written anew."""


class BrokerUnusable(ProvisioningError):
    """The broker's configuration cannot be written, or a running broker cannot be told."""
