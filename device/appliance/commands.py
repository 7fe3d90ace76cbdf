"""The commands of an appliance, which also run where no settings are: `waiting` and `doctor`."""

import argparse
import asyncio
import http.client
import json
import logging
import sys
from pathlib import Path
from typing import Any, Final

from device.appliance.notify import Notifier
from device.appliance.waiting import wait
from device.doctor.visit import Practice, visit
from device.errors import KioskError
from device.settings import ScreenSettings

_ASK_WITHIN_S: Final = 5.0


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Give `carrel-kiosk` its commands that read no settings first; each sets `alone`, which takes the arguments."""
    for name, run, text in (
        ("waiting", _waiting, "show on the screen why the agent may not run yet, until it may"),
        (
            "doctor",
            _doctor,
            "look at units, disks, clock, certificates, pins, cameras, network and ledger; changes nothing",
        ),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--config", type=Path, required=True, metavar="KIOSK.TOML", help="the kiosk's settings")
        command.add_argument(
            "--verbose", action="store_true", help="log what is only of interest while looking closely"
        )
        command.set_defaults(alone=run, log_level=logging.ERROR if name == "doctor" else logging.INFO)
        if name == "waiting":
            command.add_argument(
                "--port", type=int, default=ScreenSettings().port, metavar="N", help="of the screen (8080)"
            )
        else:
            command.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
            command.add_argument("--no-network", action="store_true", help="leave the network check out")


def _waiting(args: argparse.Namespace) -> None:
    asyncio.run(wait(args.config, args.port, Notifier.of()))


def _doctor(args: argparse.Namespace) -> None:
    practice = Practice(ask=asked, network=not args.no_network)
    try:
        report = asyncio.run(visit(args.config, practice))
    except KeyboardInterrupt:
        raise KioskError("the doctor was sent away") from None
    sys.stdout.write((json.dumps(report.json(), indent=2) if args.json else report.table()) + "\n")
    if report.blocked:
        raise KioskError(f"blocked: {', '.join(dict.fromkeys(f'{row.name} {row.where}' for row in report.blocked))}")


def asked(port: int, path: str) -> Any:
    """What the page on `port` of this machine says at `path`; None where nobody answers in JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ASK_WITHIN_S)
    try:
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
