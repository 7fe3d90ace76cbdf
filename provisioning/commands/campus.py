"""`carrel-provision campus`: register campuses and show them."""

import argparse
import json
import sys
from typing import Any

from provisioning.commands.options import register_option
from provisioning.errors import CampusRefused
from provisioning.register import Campus, Register, campus


def add_to(commands: Any) -> None:
    """Add the subcommand to the parser's."""
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
        register_option(command)


def known(register: Register, id_: str) -> Campus:
    """The campus with this id; raises `CampusRefused` naming those that are registered."""
    found = register.find(id_)
    if found is None:
        names = ", ".join(one.id for one in register.campuses()) or "none"
        raise CampusRefused(f"no campus {id_!r}; registered: {names}")
    return found


def _init(register: Register, args: argparse.Namespace) -> None:
    new = campus(args.id, args.name, args.time_zone)
    done = "registered" if register.add(new) else "already registered just so"
    sys.stdout.write(f"{new.id}: {new.name}, {new.time_zone}: {done}\n")


def _show(register: Register, args: argparse.Namespace) -> None:
    found = [known(register, args.id)] if args.id else register.campuses()
    sys.stdout.write(json.dumps([one.model_dump() for one in found], indent=2, ensure_ascii=False) + "\n")
