"""`carrel-provision bundle`: what is copied onto the kiosks' cards."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from provisioning.bundle.making import Maker
from provisioning.bundle.signing import make_key, read_key, read_public, verify
from provisioning.campus_file import read_campus_file
from provisioning.commands.campus import known
from provisioning.commands.options import chosen, kiosk_option, register_option
from provisioning.errors import BundleRefused
from provisioning.register import Register
from provisioning.secret_file import read_secrets
from provisioning.tokens import Claims

_EACH = 1_000
"""How many kiosks between two signs of life."""


def add_to(commands: Any) -> None:
    """Add the subcommand to the parser's."""
    group = commands.add_parser(
        "bundle", help="what is copied onto the kiosks' cards", description="What is copied onto the kiosks' cards."
    )
    verbs = group.add_subparsers(required=True, metavar="key|make|verify")
    key = verbs.add_parser(
        "key",
        help="make a campus's signing key",
        description="Make a campus's signing key, and print its public half, the image's /etc/carrel/bundle-key.",
    )
    key.add_argument("file", type=Path, help="where to keep it; nobody else may read it")
    key.set_defaults(alone=_key)
    make = verbs.add_parser(
        "make",
        help="make the bundles of a campus's kiosks",
        description="Make a folder with a folder for each kiosk, to be copied onto the first partition of its card. "
        "Each holds a claim token for 14 days; unused tokens of earlier bundles of these kiosks are withdrawn.",
    )
    make.add_argument(
        "campus_file", type=Path, metavar="CAMPUS.TOML", help="what all kiosks of the campus have in common"
    )
    make.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to make")
    make.add_argument("--key", type=Path, required=True, help="the campus's signing key, from bundle key")
    make.add_argument("--secrets", type=Path, metavar="TOML", help="passphrases and passwords by name, mode 0600")
    make.set_defaults(run=_make)
    kiosk_option(make)
    register_option(make)
    check = verbs.add_parser(
        "verify",
        help="see whether bundles are as they were signed",
        description="See whether bundles are as they were signed.",
    )
    check.add_argument("folder", type=Path, help="one bundle, or the folder that bundle make made")
    check.add_argument(
        "--public-key", type=Path, required=True, metavar="FILE", help="the line that bundle key printed"
    )
    check.set_defaults(alone=_verify)


def _key(args: argparse.Namespace) -> None:
    sys.stdout.write(make_key(args.file) + "\n")


def _make(register: Register, args: argparse.Namespace) -> None:
    file = read_campus_file(args.campus_file)
    campus = known(register, file.campus)
    devices = [one.device for one in chosen(register, campus.id, args.kiosk)]
    maker = Maker(campus, file, read_secrets(args.secrets), read_key(args.key))
    many = maker.write(devices, args.out, Claims(register.db), datetime.now(UTC), lambda n: _progress(n, len(devices)))
    sys.stdout.write(f"{args.out}: {many} bundle{'' if many == 1 else 's'}, claim tokens good for 14 days\n")


def _progress(done: int, of: int) -> None:
    if done % _EACH == 0:
        sys.stderr.write(f"{done} of {of}\n")


def _verify(args: argparse.Namespace) -> None:
    key = read_public(args.public_key)
    found = [args.folder] if (args.folder / "user-data").exists() else sorted(args.folder.glob("*/"))
    if not found:
        raise BundleRefused(f"{args.folder}: holds no bundle")
    for folder in found:
        manifest = verify(folder, key)
        sys.stdout.write(f"{manifest.kiosk}: {len(manifest.files)} files as signed\n")
