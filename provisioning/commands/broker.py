"""`carrel-provision broker`: write a broker's configuration, and hold a running one to the lists of revocation."""

import argparse
import logging
import shutil
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from provisioning.broker import rules
from provisioning.broker.keeping import LOOK_EVERY_S, Keeper
from provisioning.ca import authority, files
from provisioning.errors import BrokerUnusable, ProvisioningError
from wire.ids import is_id

_log = logging.getLogger(__name__)


def add_to(commands: Any) -> None:
    """Add the subcommand to the parser's."""
    group = commands.add_parser("broker", help="the district's broker", description="The district's MQTT broker.")
    verbs = group.add_subparsers(required=True, metavar="write|keep")
    write = verbs.add_parser(
        "write", help="write its configuration",
        description="Write mosquitto's configuration with its rights and lists into a folder; start it with "
        "`mosquitto -c FOLDER/mosquitto.conf`.",
    )  # fmt: skip
    default = rules.Broker(Path())
    write.add_argument("--certificate", type=Path, required=True, help="the broker's chain, from `ca sign --host`")
    write.add_argument("--key", type=Path, required=True, help="its key")
    write.add_argument("--address", default=default.address, help="for kiosks (%(default)s)")
    write.add_argument("--port", type=int, default=default.port, help="for kiosks (%(default)s)")
    write.add_argument(
        "--websockets-port", type=int, default=default.websockets_port, help="as well; 0 is none (%(default)s)"
    )
    write.add_argument("--fleet-address", default=default.fleet_address, help="for the fleet (%(default)s)")
    write.add_argument("--fleet-port", type=int, default=default.fleet_port, help="for the fleet (%(default)s)")
    write.set_defaults(alone=_write)
    keep = verbs.add_parser(
        "keep", help="hold a running broker to the lists, until told to stop",
        description="Look at the authorities' lists every 5 s; have the broker read new ones, and throw out who is on.",
    )  # fmt: skip
    keep.add_argument("--once", action="store_true", help="do it once and end")
    keep.set_defaults(alone=_keep)
    for command in (write, keep):
        command.add_argument("--folder", type=Path, required=True, help="the broker's folder")
        command.add_argument("--campus", type=_campus, default="+", help="the only campus of this broker (any)")
        command.add_argument(
            "--authority", type=Path, action="append", required=True,
            help="a folder with crl.pem and revoked.txt; for each campus one, and that of the services",
        )  # fmt: skip


def _write(args: argparse.Namespace) -> None:
    folder = args.folder.resolve()
    if any(one.isspace() for one in str(folder)):
        raise BrokerUnusable(f"{folder}: mosquitto cannot be given a folder with a space in its name")
    of = rules.Broker(
        folder, args.address, args.port, args.websockets_port, args.fleet_address, args.fleet_port, args.campus
    )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.read_key(args.key)
    files.write(folder / rules.CERTIFICATE, files.read(args.certificate))
    files.write(folder / rules.KEY, files.read(args.key), files.PRIVATE)
    files.write(folder / rules.AUTHORITIES, files.read(args.authority[0] / authority.ROOT))
    files.write(folder / rules.FLEET, rules.fleet_acl(of.campus).encode())
    files.write(folder / rules.NOBODY, rules.nobody_acl().encode())
    Keeper(folder, args.authority, of.campus).install(datetime.now(UTC))
    files.write(folder / rules.CONF, rules.conf(of).encode())
    found = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin") or "mosquitto"
    sys.stdout.write(f"{folder / rules.CONF} is written; start it with: {found} -c {folder / rules.CONF}\n")


def _keep(args: argparse.Namespace) -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    keeper = Keeper(args.folder.resolve(), args.authority, args.campus)
    if args.once:
        keeper.apply(datetime.now(UTC))
        return
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    said = ""
    while not stop.is_set():
        try:
            if keeper.is_due(datetime.now(UTC)):
                names = keeper.apply(datetime.now(UTC))
                _log.info("the broker was told; %d kiosks are shut out", len(names))
            said = ""
        except ProvisioningError as error:  # a broker that is down, a list half copied: the next look may find better
            if said != str(error):
                said = str(error)
                _log.warning("%s", error)
        stop.wait(LOOK_EVERY_S)


def _campus(text: str) -> str:
    if text != "+" and not is_id(text):
        raise argparse.ArgumentTypeError("3 to 40 of a-z, 0-9 and -, no dash at either end")
    return text
