"""Options that several subcommands have."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from provisioning.errors import RegisterUnusable
from provisioning.register import Register
from provisioning.roster.kiosks import Numbered, in_use


def register_option(command: argparse.ArgumentParser) -> None:
    """Which file the register is."""
    command.add_argument("--register", type=Path, default=Path("register.db"), help="the register's file (register.db)")


def kiosk_option(command: argparse.ArgumentParser) -> None:
    """Which of the campus's kiosks."""
    command.add_argument("--kiosk", action="append", metavar="ID", help="only this kiosk; may be given again")


def chosen(register: Register, campus: str, only: Sequence[str] | None) -> list[Numbered]:
    """The campus's kiosks in use, or only those that were named.

    Raises:
        RegisterUnusable: there are none, or one that was named is not among them.
    """
    found = in_use(register.db, campus)
    missing = sorted(set(only or ()) - {one.device.kiosk for one in found})
    if missing:
        raise RegisterUnusable(f"{campus} has no kiosk {missing[0]!r}; see carrel-provision roster export {campus}")
    if not found:
        raise RegisterUnusable(f"{campus} has no kiosks yet; see carrel-provision roster apply")
    return [one for one in found if not only or one.device.kiosk in only]
