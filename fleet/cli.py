"""`carrel-fleet`: the fleet service's commands."""

import argparse
import logging
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from fleet.access import secrets
from fleet.access.roles import Principal, Role
from fleet.access.secrets import Kind, Person
from fleet.clock import SystemClock
from fleet.errors import BadRows, FleetError, Refused
from fleet.explain import explain
from fleet.importing import CALENDAR, CSV, Importer
from fleet.roll import Roll
from fleet.segment_keys import SegmentKeys
from fleet.segments import open_segment, open_to_file
from fleet.settings import FleetSettings, load
from fleet.store import audit, kiosks
from fleet.store.engine import Database
from fleet.store.migrate import migrate
from fleet.upload_keys import receipt_public
from fleet.uploads import stored_path
from fleet.webhook_keys import rotate, webhook_secrets
from wire.ids import is_id
from wire.segments import is_segment_id

_CONFIG: Final = Path("fleet.toml")
_STDOUT: Final = Path("-")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code, and says in one line on standard error what went wrong."""
    given = _parser().parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        settings = load(given.config)
        if given.command == "serve" and given.port is not None:
            settings = settings.model_copy(update={"port": given.port})
        match given.command:
            case "serve":
                from fleet.service import serve  # noqa: PLC0415  # the other commands need not wait for it to load

                serve(settings)
            case "ingest":
                from fleet.service import ingest  # noqa: PLC0415  # as above

                ingest(settings)
            case "open-segment":
                _open_segment(settings, given)
            case "webhook-secret":
                found = rotate(settings.data_dir) if given.new else webhook_secrets(settings.data_dir)
                sys.stdout.write(f"{found[0]}\n")
            case "receipt-key":
                sys.stdout.write(f"{receipt_public(settings.data_dir)}\n")
            case "segment-key":
                keys = _segment_keys(settings)
                key = None if given.new else keys.current()
                sys.stdout.write(f"{(key or keys.make(SystemClock().now().at)).public}\n")
            case _:
                _with_database(settings, given)
    except FleetError as error:
        sys.stderr.write(f"carrel-fleet: {error}\n")
        return 1
    return 0


def _with_database(settings: FleetSettings, given: argparse.Namespace) -> None:
    database = Database(settings.database_url)
    try:
        migrate(database)
        match given.command:
            case "migrate":
                sys.stderr.write("The database is up to date.\n")
            case "explain":
                for line in explain(database, given.session):
                    sys.stdout.write(f"{line}\n")
            case "user":
                _user(settings, database, given)
            case "schedule":
                _schedule(settings, database, given)
            case "audit":
                with database.read() as connection:
                    rows, head = audit.verify(connection, given.seen)
                sys.stdout.write(f"{rows} rows, each follows from the one before; the newest is {head}\n")
    finally:
        database.close()


def _user(settings: FleetSettings, database: Database, given: argparse.Namespace) -> None:
    now = SystemClock().now()
    match given.action:
        case "add":
            campuses = frozenset(given.campus) if given.campus else None
            secrets.add_person(database, Person(given.name, Role(given.role), campuses), now)
            lives = timedelta(hours=given.hours) if given.hours else None
            if given.token:
                sys.stdout.write(f"{secrets.issue(database, Kind.TOKEN, given.name, now, lives)}\n")
            else:
                secret = secrets.issue(database, Kind.LINK, given.name, now, lives)
                sys.stdout.write(f"{secrets.link(settings.own_url, secret)}\n")
        case "list":
            for person in secrets.people(database):
                where = ", ".join(sorted(person.campuses)) if person.campuses is not None else "all campuses"
                sys.stdout.write(f"{person.name}\t{person.role.value}\t{where}\n")
        case "remove":
            if not secrets.remove_person(database, given.name, now):
                raise Refused(f"there is nobody called {given.name!r}; `carrel-fleet user list` shows who there is")


def _schedule(settings: FleetSettings, database: Database, given: argparse.Namespace) -> None:
    """Import a file as whoever stands at this machine; a running service sends it within a second."""
    now = SystemClock().now()
    with database.read() as connection:
        roll = Roll(kiosks.load(connection, now))
    try:
        data = given.file.read_bytes()
    except OSError as error:
        raise Refused(f"{given.file}: {error.strerror}") from error
    campuses = frozenset({given.campus}) if given.campus else None
    importer = Importer(database, roll, Principal("console", Role.SERVICE, campuses), settings.time_zone, given.campus)
    try:
        if given.action == "mandates":
            made = importer.mandates(data, now)
        else:
            kind = CALENDAR if given.file.suffix.lower() in {".ics", ".ical"} else CSV
            made = importer.bookings(data, kind, now)
    except BadRows as error:
        for fault in error.faults:
            sys.stderr.write(f"{given.file}: {fault.where}: {fault.message}\n")
        raise
    for note in made.notes:
        sys.stderr.write(f"{note}\n")
    sys.stdout.write(f"{made.added} added, {made.changed} changed, {made.unchanged} as they were\n")


def _segment_keys(settings: FleetSettings) -> SegmentKeys:
    return SegmentKeys(settings.segment_keys_dir)


def _open_segment(settings: FleetSettings, given: argparse.Namespace) -> None:
    path, keys = given.file, _segment_keys(settings)
    if is_segment_id(str(path)) and not path.exists():
        path = stored_path(settings, str(path))
        given.out = given.out or Path(f"{path.stem}.mp4")
    if given.out == _STDOUT:
        try:
            with open(sys.stdout.fileno(), "wb", closefd=False) as out:
                opened = open_segment(path, keys, out)
        except OSError as error:
            raise Refused(f"standard output cannot be written: {error.strerror or error}") from error
    else:
        opened = open_to_file(path, keys, given.out or path.with_suffix(".mp4"), force=given.force)
    header = opened.header
    sys.stderr.write(
        f"{header.role}, session {header.session}, {header.at:%Y-%m-%d %H:%M:%S %Z} (clock {header.clock.value}), "
        f"{opened.duration_ms / 1000:.2f} s, {opened.where or 'whole'}\n"
    )


def _parser() -> argparse.ArgumentParser:
    config = argparse.ArgumentParser(add_help=False)
    config.add_argument("--config", type=Path, default=_CONFIG, metavar="FILE", help="default: %(default)s")
    parser = argparse.ArgumentParser(prog="carrel-fleet", description="The fleet service of Carrel.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", parents=[config], help="run API, console and ingest")
    serve.add_argument("--port", type=_port, help="instead of `port` in the settings file; 0 takes a free one")
    commands.add_parser("ingest", parents=[config], help="run the ingest alone")
    commands.add_parser("migrate", parents=[config], help="bring the database to this version")
    telling = commands.add_parser("explain", parents=[config], help="print the rows behind a session's minutes")
    telling.add_argument("session", metavar="SESSION")
    opening = commands.add_parser("open-segment", parents=[config], help="turn a sealed segment into an MP4")
    opening.add_argument("file", type=Path, metavar="FILE", help="or the id of one that a kiosk sent")
    opening.add_argument(
        "-o", dest="out", type=Path, metavar="OUT", help="default: FILE with .mp4; - is standard output"
    )
    opening.add_argument("--force", action="store_true", help="replace OUT")
    keying = commands.add_parser("segment-key", parents=[config], help="print the public key that kiosks seal video to")
    keying.add_argument("--new", action="store_true", help="make a fresh one first; older ones go on opening")
    commands.add_parser(
        "receipt-key", parents=[config], help="print the public key by which kiosks know that a recording is here"
    )
    hooking = commands.add_parser(
        "webhook-secret", parents=[config], help="print the secret by which receivers of webhooks know us"
    )
    hooking.add_argument("--new", action="store_true", help="make a fresh one first; the one before signs beside it")
    auditing = commands.add_parser("audit", help="who did what").add_subparsers(
        dest="action", required=True, metavar="ACTION"
    )
    verifying = auditing.add_parser("verify", parents=[config], help="follow the chain through every row")
    verifying.add_argument("--seen", metavar="HASH", help="a newest hash noted down earlier, which must be in it still")
    planning = commands.add_parser("schedule", help="bookings and mandates from files").add_subparsers(
        dest="action", required=True, metavar="ACTION"
    )
    importing = planning.add_parser("import", parents=[config], help="bookings: a CSV list, or a calendar (.ics)")
    owing = planning.add_parser("mandates", parents=[config], help="minutes owed: a CSV list")
    for one, required in ((importing, False), (owing, True)):
        one.add_argument("file", type=Path, metavar="FILE")
        one.add_argument("--campus", type=_campus, metavar="ID", required=required, help="whose rooms or students")
    actions = commands.add_parser("user", help="who may sign in").add_subparsers(
        dest="action", required=True, metavar="ACTION"
    )
    adding = actions.add_parser("add", parents=[config], help="add or change someone, and print a fresh secret once")
    adding.add_argument("name", type=_name, metavar="NAME")
    adding.add_argument("--role", required=True, choices=[role.value for role in Role])
    adding.add_argument("--campus", action="append", type=_campus, metavar="ID", help="repeat for more; default: all")
    adding.add_argument("--hours", type=_hours, metavar="N", help="how long the secret lives; default: a link 7 days")
    kind = adding.add_mutually_exclusive_group()
    kind.add_argument("--link", action="store_true", help="a sign-in link for a browser (the default)")
    kind.add_argument("--token", action="store_true", help="a bearer token for a program")
    actions.add_parser("list", parents=[config], help="everyone")
    removing = actions.add_parser("remove", parents=[config], help="remove someone and all their secrets")
    removing.add_argument("name", metavar="NAME")
    return parser


def _name(text: str) -> str:
    if not 1 <= len(text) <= 80 or not text.isprintable():
        raise argparse.ArgumentTypeError("1 to 80 printable characters")
    return text


def _campus(text: str) -> str:
    if not is_id(text):
        raise argparse.ArgumentTypeError("3 to 40 of a-z, 0-9 and -, no dash at either end")
    return text


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError("0 to 65535")
    return int(text)


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = 0.0
    if not 0 < hours <= 24 * 366:
        raise argparse.ArgumentTypeError("a number of hours, up to a year")
    return hours


if __name__ == "__main__":
    sys.exit(main())
