"""`carrel-provision ca`: the district's authorities."""

import argparse
import asyncio
import contextlib
import ipaddress
import logging
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from provisioning.ca import files, making, profile
from provisioning.ca.authority import CRL, Authority
from provisioning.ca.serving import serve
from provisioning.errors import AuthorityUnusable, RequestRefused


def add_to(commands: Any) -> None:
    """Add the subcommand to the parser's."""
    group = commands.add_parser(
        "ca", help="the district's certificate authorities", description="The district's certificate authorities."
    )
    verbs = group.add_subparsers(required=True, metavar="init|sign|revoke|crl|serve")
    init = verbs.add_parser(
        "init",
        help="make the root, or an authority below it",
        description="With --district make the root, on a stick that then lies in a safe. With --root and --name make "
        "the authority of a campus, or `services` for broker and fleet.",
    )
    init.add_argument("folder", type=Path, help="where it is made")
    what = init.add_mutually_exclusive_group(required=True)
    what.add_argument("--district", help="make a root; the district's name, 1 to 40 characters")
    what.add_argument("--name", help=f"make an authority below the root: a campus's id, or {profile.SERVICES!r}")
    init.add_argument("--root", type=Path, help="the root's folder; needed with --name")
    init.add_argument("--passphrase-file", type=Path, help="what the root's key is encrypted with")
    init.set_defaults(alone=_init)
    sign = verbs.add_parser(
        "sign", help="sign one request by hand", description="Sign one request by hand; the chain on standard output."
    )
    sign.add_argument("csr", type=Path, help="PKCS #10 in PEM")
    sign.add_argument("--name", required=True, help="the kiosk's id; of the services carrel-fleet, or a broker's name")
    sign.add_argument("--host", action="append", default=[], help="of a broker: how kiosks reach it; repeat for more")
    sign.add_argument("--replace", action="store_true", help="revoke what another key holds for this kiosk")
    sign.set_defaults(alone=_sign)
    revoke = verbs.add_parser("revoke", help="shut a kiosk out", description="Revoke all certificates of a kiosk.")
    revoke.add_argument("kiosk", help="its id")
    revoke.set_defaults(alone=_revoke)
    crl = verbs.add_parser("crl", help="write the list of what is revoked anew", description="Write crl.pem anew.")
    crl.set_defaults(alone=_crl)
    serving = verbs.add_parser(
        "serve", help="sign what the fleet asks for, until told to stop",
        description="The one process that holds a campus's key: answers the fleet on a Unix socket.",
    )  # fmt: skip
    serving.add_argument("--socket", type=Path, required=True, help="where; its folder says who may come near")
    serving.set_defaults(alone=_serve)
    for command in (sign, revoke, crl, serving):
        command.add_argument("--folder", type=Path, required=True, help="the authority's folder")


def _init(args: argparse.Namespace) -> None:
    passphrase = files.read(args.passphrase_file).strip() if args.passphrase_file else None
    now = datetime.now(UTC)
    if args.district is not None:
        making.make_root(args.folder, args.district, now, passphrase)
        kept = "encrypted" if passphrase else "not encrypted: use --passphrase-file where others may get at the stick"
        sys.stdout.write(f"{args.folder}: the root is made, its key {kept}\n")
        return
    if args.root is None:
        raise AuthorityUnusable("--name needs --root: which root signs it?")
    making.make_authority(args.root, args.folder, args.name, now, passphrase)
    sys.stdout.write(f"{args.folder}: the authority {args.name} is made; the root is needed no more, put it away\n")


def _sign(args: argparse.Namespace) -> None:
    csr = files.read(args.csr).decode(errors="replace")
    with _opened(args.folder) as authority:
        if authority.name == profile.SERVICES:
            chain = authority.serve(args.name, csr, [_host(one) for one in args.host], datetime.now(UTC))
        elif args.host:
            raise RequestRefused("--host is for brokers, which only the services' authority signs")
        else:
            chain = authority.sign(args.name, csr, datetime.now(UTC), replace=args.replace)
    sys.stdout.write(chain)


def _revoke(args: argparse.Namespace) -> None:
    with _opened(args.folder) as authority:
        count = authority.revoke(args.kiosk, datetime.now(UTC))
    sys.stdout.write(f"{args.kiosk}: {count} certificates revoked, {args.folder / CRL} written\n")


def _crl(args: argparse.Namespace) -> None:
    with _opened(args.folder) as authority:
        authority.publish(datetime.now(UTC))
    sys.stdout.write(f"{args.folder / CRL}\n")


def _serve(args: argparse.Namespace) -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")

    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        with _opened(args.folder) as authority:
            await serve(authority, args.socket, stop)

    asyncio.run(run())


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[Authority]:
    authority = Authority.open(folder)
    try:
        yield authority
    finally:
        authority.close()


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        pass
    try:
        return x509.DNSName(text)
    except ValueError as error:
        raise RequestRefused(f"{text!r} is no host's name: {error}") from error
