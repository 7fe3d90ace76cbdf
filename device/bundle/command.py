"""`carrel-kiosk bundle`: look at the bundle on the card, or take it over."""

import argparse
import contextlib
import sys
from pathlib import Path
from typing import Any

from device.bundle.apply import KEY, REFUSED, apply, read_key, verified
from device.errors import BundleRefused
from wire.bundles import FOLDER


def add_to(commands: Any) -> None:
    """Add the subcommand to the parser's; it needs no kiosk.toml, which it brings."""
    group = commands.add_parser(
        "bundle",
        help="take over the bundle on the card",
        description="The bundle on the card: look at it, take it over.",
    )
    verbs = group.add_subparsers(required=True, metavar="verify|apply")
    for name, run, text in (
        ("verify", _verify, "say whether every file is as its campus signed it"),
        ("apply", _apply, "take the bundle over; what the kiosk had stays if the bundle is not as it was signed"),
    ):
        command = verbs.add_parser(name, help=text, description=text)
        command.set_defaults(alone=run)
        command.add_argument("--root", type=Path, default=Path("/"), help="another root than /, as of a mounted card")
        command.add_argument("folder", type=Path, help=f"the {FOLDER} folder, as /boot/firmware/{FOLDER}")
        command.add_argument("--key", type=Path, help=f"the campus's public key (/{KEY})")


def _verify(args: argparse.Namespace) -> None:
    manifest, files = verified(_whole(args.folder), read_key(args.key or args.root / KEY))
    sys.stdout.write(f"{manifest.kiosk}: {len(files)} files as signed\n")


def _apply(args: argparse.Namespace) -> None:
    told = args.root / REFUSED
    try:
        done = apply(_whole(args.folder), read_key(args.key or args.root / KEY), args.root)
    except BundleRefused as error:
        with contextlib.suppress(OSError):  # the same disk may be what is wrong; the error itself is told below
            told.parent.mkdir(parents=True, exist_ok=True)
            told.write_text(f"{error}\n", encoding="utf-8")
        raise
    told.unlink(missing_ok=True)
    sys.stdout.write(f"{done.kiosk}: {'applied' if done.is_new else 'already applied'}\n")


def _whole(folder: Path) -> Path:
    """Where the whole bundle lies: cloud-init's files stand beside the folder that was named."""
    return folder.parent if folder.name == FOLDER else folder
