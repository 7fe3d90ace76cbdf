"""`carrel-kiosk`: run the agent, ask a running one, look into its ledger."""

import argparse
import asyncio
import http.client
import json
import logging
import sys
from collections.abc import Iterable
from pathlib import Path

from device import agent, reboot
from device.errors import KioskError
from device.release import VERSION
from device.session.ledger import epochs
from device.settings import Settings
from wire.errors import WireError
from wire.ledger import verified
from wire.settings_file import SettingsError, read_settings

_ASK_WITHIN_S = 5.0


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code, with one clear line on standard error when it is not 0."""
    args = _parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if args.verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    try:
        settings = read_settings(Settings, args.config)
        return int(args.run(settings, args))
    except (SettingsError, KioskError, WireError) as error:
        sys.stderr.write(f"carrel-kiosk: {error}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="carrel-kiosk", description="The agent of one classroom kiosk.")
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, text in (
        ("run", _run, "run the agent until it is told to stop"),
        ("state", _state, "print what the running agent says of itself, as JSON"),
        ("ledger", _ledger, "verify or export the journal of session facts"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--config", type=Path, required=True, metavar="KIOSK.TOML", help="the kiosk's settings")
        command.add_argument(
            "--verbose", action="store_true", help="log what is only of interest while looking closely"
        )
        command.set_defaults(run=run)
        if name == "ledger":
            command.add_argument("what", choices=("verify", "export"), help="check every hash, or print every row")
    return parser


def _run(settings: Settings, _args: argparse.Namespace) -> int:
    asyncio.run(agent.run(settings, agent.Hardware(reboot=reboot.systemctl)))
    return 0


def _state(settings: Settings, _args: argparse.Namespace) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", settings.screen.port, timeout=_ASK_WITHIN_S)
    try:
        connection.request("GET", "/api/state")
        answer = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
        raise KioskError(f"no agent answers on port {settings.screen.port}: {error}") from error
    finally:
        connection.close()
    sys.stdout.write(json.dumps(answer, indent=2) + "\n")
    return 0


def _ledger(settings: Settings, args: argparse.Namespace) -> int:
    path = settings.data_dir / agent.LEDGER_FILE
    if not path.exists():
        raise KioskError(f"{path}: there is no ledger yet")
    count = 0
    for epoch, rows in epochs(path):
        verified(epoch, rows, 1)
        count += len(rows)
        if args.what == "export":
            _write_lines(row.body for row in rows)
    if args.what == "verify":
        sys.stdout.write(f"{path}: {count} rows, every hash follows from the one before\n")
    return 0


def _write_lines(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
