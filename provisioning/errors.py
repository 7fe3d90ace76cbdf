"""What can go wrong while provisioning.

ProvisioningError
├── RegisterUnusable   the register's file cannot be read or written
└── CampusRefused      a campus is not valid, unknown, or already registered differently
"""


class ProvisioningError(Exception):
    """Anything that goes wrong while provisioning and has a name."""


class RegisterUnusable(ProvisioningError):
    """The register's file cannot be read or written."""


class CampusRefused(ProvisioningError):
    """A campus is not valid, unknown, or already registered differently."""
