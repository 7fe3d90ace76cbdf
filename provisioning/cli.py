"""`carrel-provision`: from a campus roster to enrolled kiosks."""

import argparse
import contextlib
import sys
from importlib.metadata import version
from typing import Final

from provisioning.commands import broker, bundle, ca, campus, labels, roster
from provisioning.errors import ProvisioningError
from provisioning.register import Register
from wire.settings_file import SettingsError

_COMMANDS: Final = (campus, roster, bundle, labels, ca, broker)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code, with one clear line on standard error when it is not 0.

    A roster gets a further line for each thing that is wrong with it.
    """
    args = _parser().parse_args(arguments)
    try:
        if "alone" in args:  # what needs no register
            args.alone(args)
            return 0
        with contextlib.closing(Register.open(args.register)) as register:
            args.run(register, args)
    except (ProvisioningError, SettingsError) as error:
        sys.stderr.write(f"carrel-provision: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="carrel-provision", description="From a campus roster to enrolled kiosks.")
    parser.add_argument("--version", action="version", version=version("carrel"))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for one in _COMMANDS:
        one.add_to(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
