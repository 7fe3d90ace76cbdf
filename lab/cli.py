"""`carrel-lab`: the demo on this machine."""

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from device.cameras.errors import BadCameraUri
from device.cameras.uri import parse_uri
from lab import demo
from lab.demo import DemoError, Options

_MOST_KIOSKS = 50
_LEAST_FOR_A_DAY = 2


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code, with one clear line on standard error when it is not 0."""
    args = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    options = Options(
        args.kiosks, args.port, args.front, args.overhead, args.record, args.picture_checks, args.seconds,
        args.data_dir, args.json, args.day,
    )  # fmt: skip
    if args.day and (args.record or args.kiosks < _LEAST_FOR_A_DAY):
        sys.stderr.write("carrel-lab: --day books by itself, for 2 kiosks at least: leave --record away\n")
        return 2
    try:
        asyncio.run(demo.run(options))
    except (DemoError, TimeoutError) as error:
        sys.stderr.write(f"carrel-lab: {error or 'a part did not come up in time'}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="carrel-lab", description="Carrel on one machine, with things to break.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    text = "broker, fleet and simulated kiosks in one go, until Ctrl-C"
    command = commands.add_parser("demo", help=text, description=text)
    command.add_argument("--kiosks", type=_count, default=3, metavar="N", help="how many kiosks (3)")
    command.add_argument("--port", type=_port, default=8000, help="the fleet's port (8000; 0 takes a free one)")
    for role, source in (("front", "scene:student"), ("overhead", "scene:desk")):
        command.add_argument(
            f"--{role}", type=_source, default=source, metavar="SRC",
            help=f"the {role} cameras' picture: file:/path, v4l2:/dev/..., scene:desk, scene:student ({source})",
        )  # fmt: skip
    command.add_argument(
        "--record",
        action="store_true",
        help="a booking open now at each kiosk, with consent to record from the press on",
    )
    command.add_argument(
        "--day",
        action="store_true",
        help="play a school day: a green board, a covered lens and its notice, a session, somebody who does not come",
    )
    command.add_argument(
        "--no-picture-checks",
        dest="picture_checks",
        action="store_false",
        help="the kiosks do not look at their pictures, so that no fault of a picture is ever noticed",
    )
    command.add_argument("--seconds", type=float, metavar="S", help="end by itself after this time")
    command.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="keep data and logs here (else a temporary folder)"
    )
    command.add_argument(
        "--json", action="store_true", help="print one JSON object when all is ready, and nothing else"
    )
    return parser


def _count(text: str) -> int:
    count = int(text) if text.isdigit() else 0
    if not 1 <= count <= _MOST_KIOSKS:
        raise argparse.ArgumentTypeError(f"{text!r}: between 1 and {_MOST_KIOSKS} kiosks")
    return count


def _port(text: str) -> int:
    port = int(text) if text.isdigit() else -1
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; write a number from 0 to 65535")
    return port


def _source(text: str) -> str:
    """A camera URI, with a file's path made absolute: the workers run elsewhere."""
    scheme, _, target = text.partition(":")
    if scheme == "file" and target:
        text = f"file:{Path(target).expanduser().resolve()}"
    try:
        parse_uri(text)
    except BadCameraUri as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


if __name__ == "__main__":
    sys.exit(main())
