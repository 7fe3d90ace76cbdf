"""`carrel-provision`: register campuses and show them."""

import argparse
import contextlib
import json
import sys
from importlib.metadata import version
from pathlib import Path

from provisioning.errors import CampusRefused, ProvisioningError
from provisioning.register import Register, campus


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code, with one clear line on standard error when it is not 0."""
    args = _parser().parse_args(arguments)
    try:
        with contextlib.closing(Register.open(args.register)) as register:
            args.run(register, args)
    except ProvisioningError as error:
        sys.stderr.write(f"carrel-provision: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="carrel-provision", description="From a campus roster to enrolled kiosks.")
    parser.add_argument("--version", action="version", version=version("carrel"))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    group = commands.add_parser(
        "campus", help="the campuses of the district", description="The campuses of the district."
    )
    verbs = group.add_subparsers(required=True, metavar="init|show")
    init = verbs.add_parser(
        "init", help="register a campus", description="Register a campus; the same again changes nothing."
    )
    init.add_argument("id", help="3 to 40 of a-z 0-9 -, for example lincoln")
    init.add_argument("--name", required=True, help="the school's name, for people")
    init.add_argument("--time-zone", required=True, help="for example America/Chicago")
    init.set_defaults(run=_init)
    show = verbs.add_parser("show", help="show one campus, or all", description="Show one campus, or all, as JSON.")
    show.add_argument("id", nargs="?")
    show.set_defaults(run=_show)
    for command in (init, show):
        command.add_argument(
            "--register", type=Path, default=Path("register.db"), help="the register's file (register.db)"
        )
    return parser


def _init(register: Register, args: argparse.Namespace) -> None:
    new = campus(args.id, args.name, args.time_zone)
    done = "registered" if register.add(new) else "already registered just so"
    sys.stdout.write(f"{new.id}: {new.name}, {new.time_zone}: {done}\n")


def _show(register: Register, args: argparse.Namespace) -> None:
    found = [one for one in register.campuses() if args.id in {None, one.id}]
    if args.id and not found:
        known = ", ".join(one.id for one in register.campuses()) or "none"
        raise CampusRefused(f"no campus {args.id!r}; registered: {known}")
    sys.stdout.write(json.dumps([one.model_dump() for one in found], indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
