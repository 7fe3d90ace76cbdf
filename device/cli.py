"""`carrel-kiosk`: run the agent, ask a running one, look into its ledger, test the kiosk's parts."""

import argparse
import asyncio
import http.client
import json
import logging
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

from device import agent, reboot
from device.appliance import commands as appliance
from device.bundle import command as bundle
from device.commission_command import commission
from device.errors import KioskError
from device.identity.enrolling import enrol, serial_number
from device.netcheck.run import Figures, check
from device.netcheck.text import rules
from device.netcheck.text import table as network_table
from device.placement import Person
from device.release import VERSION
from device.selftest import run as selftest
from device.selftest.table import table
from device.session.ledger_files import look
from device.settings import Settings
from wire.errors import WireError
from wire.settings_file import SettingsError, read_settings

_ASK_WITHIN_S = 5.0
_WATCH_S = (2.0, 60.0)
"""How long a self-test may watch: shorter, and no frame rate is known; longer, and it is no test any more."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code, with one clear line on standard error when it is not 0."""
    args = _parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if args.verbose else args.log_level,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    try:
        if "alone" in args:  # what needs no settings
            args.alone(args)
            return 0
        settings = read_settings(Settings, args.config)
        return int(args.run(settings, args))
    except (SettingsError, KioskError, WireError) as error:
        sys.stderr.write(f"carrel-kiosk: {error}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="carrel-kiosk", description="The agent of one classroom kiosk.")
    parser.set_defaults(verbose=False, log_level=logging.INFO)
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    bundle.add_to(commands)
    for name, run, text in (
        ("run", _run, "run the agent until it is told to stop"),
        ("state", _state, "print what the running agent says of itself, as JSON"),
        ("ledger", _ledger, "verify or export the journal of session facts"),
        ("commission", _commission, "aim and focus the cameras with the running agent, and keep that as the reference"),
        ("netcheck", _netcheck, "look what the network does between this kiosk and its fleet; the agent may run"),
        ("enrol", _enrol, "ask the fleet for an identity with the claim that the bundle left here"),
        ("selftest", _selftest, "open cameras, disk, key and pins once, and say what does not work"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--config", type=Path, required=True, metavar="KIOSK.TOML", help="the kiosk's settings")
        command.add_argument(
            "--verbose", action="store_true", help="log what is only of interest while looking closely"
        )
        command.set_defaults(run=run, log_level=logging.INFO)
        if name == "ledger":
            command.add_argument("what", choices=("verify", "export"), help="check every hash, or print every row")
            command.add_argument(
                "--file",
                type=Path,
                metavar="FILE",
                help="another file than the ledger in use, as one set aside as damaged",
            )
        if name == "commission":
            command.add_argument("--by", choices=get_args(Person), default="it", help="who confirms (it)")
            command.add_argument(
                "--confirm", action="store_true", help="confirm from here once all is good, not at the kiosk"
            )
            command.add_argument("--exchange", action="store_true", help="let the two cameras change roles first")
            command.add_argument(
                "--within", type=_within_s, default=600.0, metavar="S", help="give up after so many seconds (600)"
            )
        if name == "enrol":
            command.add_argument("--claim", type=Path, required=True, metavar="FILE", help='{"token": "…"}')
            command.add_argument(
                "--within", type=float, default=86_400.0, metavar="S", help="give up after so many seconds (a day)"
            )
        if name == "netcheck":
            command.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
            command.add_argument(
                "--rules", action="store_true", help="print what a firewall has to let out, and look at nothing"
            )
            command.set_defaults(log_level=logging.ERROR)  # what it finds stands in its answer
        if name == "selftest":
            command.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
            command.add_argument(
                "--seconds", type=_watch_s, default=5.0, metavar="S", help="how long to watch each camera (5)"
            )
            command.set_defaults(log_level=logging.ERROR)  # what it finds stands in its answer
    appliance.add_to(commands)
    return parser


def _run(settings: Settings, _args: argparse.Namespace) -> int:
    asyncio.run(agent.run(settings, agent.Hardware(reboot=reboot.systemctl)))
    return 0


def _state(settings: Settings, _args: argparse.Namespace) -> int:
    sys.stdout.write(json.dumps(_asked(settings, "/api/state"), indent=2) + "\n")
    return 0


def _asked(settings: Settings, path: str) -> Any:
    """What the running agent's page says at `path`."""
    connection = http.client.HTTPConnection("127.0.0.1", settings.screen.port, timeout=_ASK_WITHIN_S)
    try:
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise KioskError(f"no agent answers on port {settings.screen.port}: {error}") from error
    finally:
        connection.close()


def _ledger(settings: Settings, args: argparse.Namespace) -> int:
    path = args.file or settings.data_dir / agent.LEDGER_FILE
    if not path.exists():
        raise KioskError(f"{path}: there is no ledger" + ("" if args.file else " yet"))
    found = look(path)
    if args.what == "export":
        _write_lines(row.body for one in found for row in one.wired)
    for one in found:
        if one.damage:
            raise KioskError(
                f"{path}: epoch {one.name}: {len(one.rows)} rows from {one.pruned + 1} on can be read, "
                f"and nothing after them: {one.damage}"
            )
    if args.what == "verify":
        count, gone = sum(len(one.rows) for one in found), sum(one.pruned for one in found)
        also = f" ({gone} older ones, which the fleet holds, were deleted)" if gone else ""
        sys.stdout.write(f"{path}: {count} rows, every hash follows from the one before{also}\n")
        for other in sorted(path.parent.glob(f"{agent.LEDGER_FILE}.damaged-*[0-9]")):
            sys.stdout.write(f"{other}: set aside as damaged; look into it with --file {other}\n")
    return 0


def _commission(settings: Settings, args: argparse.Namespace) -> int:
    try:
        commission(settings.screen.port, by=args.by, within_s=args.within, confirm=args.confirm, exchange=args.exchange)
    except KeyboardInterrupt:
        raise KioskError("stopped; nothing was kept, and the cameras close by themselves") from None
    return 0


def _netcheck(settings: Settings, args: argparse.Namespace) -> int:
    if args.rules:
        _write_lines(" ".join(one) for one in rules(settings))
        return 0
    sys.stderr.write("Looking at the network; 10 s at most …\n")
    try:
        found = asyncio.run(check(settings, figures=_line_figures(settings)))
    except KeyboardInterrupt:
        raise KioskError("the network check was stopped") from None
    sys.stdout.write((json.dumps(found.json(), indent=2) if args.json else network_table(found)) + "\n")
    if found.troubles:
        raise KioskError(
            f"the network check found trouble: {', '.join(f'{one.name} {one.where}' for one in found.troubles)}"
        )
    return 0


def _enrol(settings: Settings, args: argparse.Namespace) -> int:
    enrol(settings, args.claim, _say, args.within, serial_number())
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()  # somebody waits for the code


def _line_figures(settings: Settings) -> Figures:
    """What the running agent measured; nothing where none runs."""
    try:
        told = _asked(settings, "/api/netcheck")
    except KioskError:
        return Figures()
    rows = {row.get("name"): row.get("facts", {}) for row in told.get("rows", ())} if isinstance(told, dict) else {}
    trip = rows.get("round trip", {})
    return Figures(trip.get("median_ms"), trip.get("lost_share"), rows.get("upload", {}).get("bps"))


def _selftest(settings: Settings, args: argparse.Namespace) -> int:
    agent_runs = _agent_runs(settings)
    if agent_runs and selftest.needs_devices(settings):
        raise KioskError("the agent is running and holds the cameras; use carrel-kiosk state, or stop it first")
    sys.stderr.write(f"Opening the cameras and watching them for {args.seconds:g} s …\n")
    try:
        found = asyncio.run(selftest.run(settings, args.seconds, agent.Hardware(), agent_runs=agent_runs))
    except KeyboardInterrupt:
        raise KioskError("the self-test was stopped; every camera is closed again") from None
    sys.stdout.write((json.dumps(found.json(), indent=2) if args.json else table(found)) + "\n")
    if found.failing:
        raise KioskError(f"the self-test failed: {', '.join(found.failing)}")
    return 0


def _agent_runs(settings: Settings) -> bool:
    try:
        answer = _asked(settings, "/healthz")
    except KioskError:
        return False
    return isinstance(answer, dict) and "state" in answer


def _watch_s(text: str) -> float:
    least, most = _WATCH_S
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not least <= seconds <= most:
        raise argparse.ArgumentTypeError(f"{text!r}: between {least:g} and {most:g} seconds")
    return seconds


def _within_s(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 900:
        raise argparse.ArgumentTypeError(f"{text!r}: between 1 and 900 seconds")
    return seconds


def _write_lines(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
