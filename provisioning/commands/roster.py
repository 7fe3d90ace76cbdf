"""`carrel-provision roster`: what a roster would change, take it over, write it out."""

import argparse
import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from provisioning.commands.campus import known
from provisioning.commands.options import register_option
from provisioning.register import Register
from provisioning.roster import kiosks
from provisioning.roster.checking import checked
from provisioning.roster.device import COLUMNS, Device
from provisioning.roster.export import exported
from provisioning.roster.planning import Plan
from provisioning.roster.reading import read

_FILE = f"CSV in UTF-8 with a header; columns: {', '.join(COLUMNS)}; the first three are needed"


def add_to(commands: Any) -> None:
    """Add the subcommand to the parser's."""
    group = commands.add_parser(
        "roster", help="which kiosks there are, from a CSV file", description="Which kiosks there are, by a CSV file."
    )
    verbs = group.add_subparsers(required=True, metavar="plan|apply|export")
    plan = verbs.add_parser("plan", help="show what a roster would change", description="A dry run: changes nothing.")
    plan.set_defaults(run=_plan)
    apply = verbs.add_parser(
        "apply",
        help="take a roster over",
        description="Take a roster over, all of it or nothing. It speaks for the campuses it names: kiosks that it "
        "does not list there are retired. The same file again changes nothing.",
    )
    apply.add_argument(
        "--retire",
        type=int,
        default=0,
        metavar="N",
        help="how many kiosks are meant to be retired (0)",
    )
    apply.set_defaults(run=_apply)
    for command in (plan, apply):
        command.add_argument("roster", type=Path, help=_FILE)
        command.add_argument("--json", action="store_true", help="print the plan as one JSON object")
        register_option(command)
    export = verbs.add_parser(
        "export", help="write the kiosks as a roster", description="The kiosks in use as a roster, on standard output."
    )
    export.add_argument("campus", nargs="?", help="one campus; left out, all of them")
    export.set_defaults(run=_export)
    register_option(export)


def _plan(register: Register, args: argparse.Namespace) -> None:
    name, found = _found(register, args.roster)
    plan = kiosks.planned(register.db, name, found)
    _show(plan, as_json=args.json, title="plan")
    if plan.retire and not args.json:
        sys.stdout.write(f"to do all of this: carrel-provision roster apply {name} --retire {len(plan.retire)}\n")


def _apply(register: Register, args: argparse.Namespace) -> None:
    name, found = _found(register, args.roster)
    done = kiosks.apply(register.db, name, found, args.retire, datetime.now(UTC))
    _show(done, as_json=args.json, title="applied")


def _export(register: Register, args: argparse.Namespace) -> None:
    if args.campus:
        known(register, args.campus)
    sys.stdout.write(exported(one.device for one in kiosks.in_use(register.db, args.campus)))


def _found(register: Register, path: Path) -> tuple[str, dict[int, Device]]:
    rows, problems = read(path)
    return str(path), checked(str(path), rows, problems, {one.id for one in register.campuses()})


def _show(plan: Plan, *, as_json: bool, title: str) -> None:
    if as_json:
        told: dict[str, Any] = {
            "create": [asdict(one) for one in (*plan.create, *plan.again)],
            "change": [{"kiosk": one.after.kiosk, "what": one.what} for one in plan.change],
            "retire": [one.kiosk for one in plan.retire],
            "unchanged": plan.unchanged,
        }
        sys.stdout.write(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
        return
    lines = [f"create  {one.kiosk}  {one.campus}, {one.room}" for one in plan.create]
    lines += [f"create  {one.kiosk}  {one.campus}, {one.room}; was retired once" for one in plan.again]
    for change in plan.change:
        what = "; ".join(f"{name} {was or '-'} -> {now or '-'}" for name, (was, now) in change.what.items())
        lines.append(f"change  {change.after.kiosk}  {what}")
    lines += [f"retire  {one.kiosk}  {one.campus}, {one.room}" for one in plan.retire]
    sys.stdout.write("".join(f"{line}\n" for line in [*lines, f"{title}: {plan.summary()}"]))
