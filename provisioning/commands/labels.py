"""`carrel-provision labels`: a sheet of labels for a campus's kiosks."""

import argparse
import sys
from pathlib import Path
from typing import Any

from provisioning.campus_file import CampusFile, read_campus_file
from provisioning.commands.campus import known
from provisioning.commands.options import chosen, kiosk_option, register_option
from provisioning.errors import LabelsRefused
from provisioning.labels.codes import code
from provisioning.labels.label import LAYOUTS, Label
from provisioning.register import Register
from provisioning.roster.kiosks import Numbered


def add_to(commands: Any) -> None:
    """Add the subcommand to the parser's."""
    labels = commands.add_parser(
        "labels",
        help="print labels for a campus's kiosks",
        description="A PDF of labels: QR code, room, kiosk, a code for people, asset tag. No label holds a secret. "
        "Print it at 100 %% on Avery 5160 (letter) or L7160 (a4).",
    )
    labels.add_argument("campus_file", type=Path, metavar="CAMPUS.TOML", help="the campus's file, as for bundle make")
    labels.add_argument("-o", "--output", type=Path, required=True, help="the PDF to write")
    labels.add_argument("--paper", choices=tuple(LAYOUTS), default="letter", help="the sheet in the printer (letter)")
    labels.add_argument("--skip", type=int, default=0, metavar="N", help="labels of the first sheet already used (0)")
    labels.set_defaults(run=_labels)
    kiosk_option(labels)
    register_option(labels)


def label(file: CampusFile, one: Numbered) -> Label:
    """What the label of one kiosk says."""
    device = one.device
    link = f"{file.fleet_url}/claims#{device.kiosk}"
    return Label(link, device.room, device.kiosk, code(one.number), device.asset)


def _labels(register: Register, args: argparse.Namespace) -> None:
    each = LAYOUTS[args.paper].each
    if not 0 <= args.skip < each:
        raise LabelsRefused(f"--skip {args.skip}: a sheet has {each} labels; name 0 to {each - 1}")
    from provisioning.labels.sheet import sheet  # noqa: PLC0415  # reportlab brings numpy: half a second for every command

    file = read_campus_file(args.campus_file)
    found = chosen(register, known(register, file.campus).id, args.kiosk)
    pdf = sheet((label(file, one) for one in found), args.paper, args.skip)
    try:
        args.output.write_bytes(pdf)
    except OSError as error:
        raise LabelsRefused(f"{args.output}: cannot be written: {error.strerror or error}") from error
    sheets = -(-(len(found) + args.skip) // each)
    sys.stdout.write(f"{args.output}: {len(found)} labels on {sheets} sheet{'' if sheets == 1 else 's'}\n")
