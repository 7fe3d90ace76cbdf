"""One kiosk as the roster has it, and what its cells may hold. Pure."""

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from provisioning.errors import Problem
from wire.ids import is_id

NEEDED: Final = ("campus", "kiosk", "room")
COLUMNS: Final = (*NEEDED, "hostname", "asset", "serial", "mac", "network", "address", "gateway", "dns")

_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_RESERVED: Final = frozenset(
    {"con", "prn", "aux", "nul", "localhost", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
)
_SERIAL: Final = re.compile(r"[0-9a-f]{16}")
_SCIENTIFIC: Final = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE][+-][0-9]+")
_MAC: Final = re.compile(r"[0-9a-f]{2}(?:([:-]?)[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}")
_MOST_ROOM: Final = 40
"""As in kiosk.toml."""
_MOST_ASSET: Final = 32
_TEXT_COLUMN: Final = "format the column as text before the file is saved"


@dataclass(frozen=True, slots=True)
class Device:
    """One kiosk: where it stands, what it is called, and how it joins the network. What is not known is None."""

    campus: str
    kiosk: str
    room: str
    hostname: str
    asset: str | None = None
    serial: str | None = None
    """The Raspberry Pi's own, 16 hexadecimal digits: it can be read only from one that has booted."""
    mac: str | None = None
    network: str | None = None
    """One of the networks in the campus's file; None is wired, by DHCP."""
    address: str | None = None
    """With its prefix, such as `10.20.0.31/22`; None is DHCP."""
    gateway: str | None = None
    dns: str | None = None
    """Name servers, a blank between two."""


class BadCell(ValueError):
    """A cell holds what it may not; the message says what to write instead."""


def device(line: int, cells: Mapping[str, str]) -> Device | list[Problem]:
    """The kiosk in one line, or everything that is wrong with it.

    Args:
        line: where it stands, counted from 1.
        cells: by column; a column that the file does not have is not in it.
    """
    found: dict[str, str | None] = {}
    problems = []
    for column, cell in cells.items():
        try:
            found[column] = _READ[column](cell)
        except BadCell as error:
            problems.append(Problem(line, column, f"{cell!a:.60}: {error}" if cell else str(error)))
    kiosk = found.get("kiosk")
    if "hostname" not in cells and kiosk:
        found["hostname"] = f"carrel-{kiosk}"
    if not problems:
        problems = [Problem(line, column, message) for column, message in _together(found)]
    return problems or Device(**{name: value or "" if name in NEEDED else value for name, value in found.items()})  # type: ignore[arg-type]


def _together(found: Mapping[str, str | None]) -> list[tuple[str, str]]:
    """What is wrong between the cells of a line that are well by themselves."""
    address, gateway, dns = found.get("address"), found.get("gateway"), found.get("dns")
    if address is None:
        return [(name, "only beside a fixed address; leave it empty for DHCP")
                for name, value in (("gateway", gateway), ("dns", dns)) if value]  # fmt: skip
    here = ipaddress.ip_interface(address)
    wrong = []
    if here.network.prefixlen < here.max_prefixlen - 1 and here.ip in (
        here.network.network_address,
        here.network.broadcast_address,
    ):
        wrong.append(("address", f"{here.ip} is the network's own or its broadcast address; give the kiosk another"))
    if gateway is not None and (
        (at := ipaddress.ip_address(gateway)).version != here.version or at not in here.network
    ):
        wrong.append(("gateway", f"{gateway} is not in {here.network}"))
    elif gateway is not None and at == here.ip:
        wrong.append(("gateway", "is the kiosk's own address"))
    if dns is None:
        wrong.append(("dns", "a fixed address needs its name servers beside it"))
    return wrong


def _campus(cell: str) -> str:
    if not is_id(_ascii(cell)):
        raise BadCell("is no campus; write the id that `carrel-provision campus show` lists")
    return cell


def _kiosk(cell: str) -> str:
    if not cell:
        raise BadCell("is empty; every kiosk needs an id of its own")
    if not is_id(_ascii(cell)):
        raise BadCell("is no kiosk's id: 3 to 40 of a-z 0-9 -, no dash at either end")
    return cell


def _room(cell: str) -> str:
    name = unicodedata.normalize("NFC", cell)
    if not name:
        raise BadCell("is empty; write the room's name as people say it")
    if len(name) > _MOST_ROOM:
        raise BadCell(f"is {len(name)} characters long; a room's name has at most {_MOST_ROOM}")
    try:
        name.encode("cp1252")
    except UnicodeEncodeError as error:
        raise BadCell(
            f"holds {_named(name[error.start])}, which no label can show; write it in Latin letters"
        ) from error
    return name


def _hostname(cell: str) -> str:
    name = _ascii(cell).lower()
    if not name:
        raise BadCell("is empty; fill it, or leave the column out to have carrel-KIOSK everywhere")
    if len(name) > 63:
        raise BadCell(f"is {len(name)} characters long; a host's name has at most 63 (RFC 1123)")
    if not _HOST.fullmatch(name):
        raise BadCell("is no host's name: a-z 0-9 -, no dot, no dash at either end (RFC 1123)")
    if name in _RESERVED:
        raise BadCell("is reserved on other systems; name the kiosk otherwise")
    return name


def _asset(cell: str) -> str | None:
    if len(cell) > _MOST_ASSET:
        raise BadCell(f"is {len(cell)} characters long; a tag has at most {_MOST_ASSET}")
    return _ascii(cell) or None


def _serial(cell: str) -> str | None:
    serial = cell.lower()
    if not serial or _SERIAL.fullmatch(serial):
        return serial or None
    if _SCIENTIFIC.fullmatch(cell):
        raise BadCell(f"a spreadsheet has made a number of it; {_TEXT_COLUMN}")
    if re.fullmatch(r"[0-9a-f]{1,15}", serial):
        raise BadCell(
            f"has {len(serial)} digits, a Raspberry Pi's serial has 16; zeros at the front are lost when a spreadsheet "
            f"reads it as a number: {_TEXT_COLUMN}"
        )
    raise BadCell("is no Raspberry Pi's serial: the 16 digits 0-9 a-f of /proc/device-tree/serial-number, or nothing")


def _mac(cell: str) -> str | None:
    if not cell:
        return None
    if not _MAC.fullmatch(cell.lower()):
        hint = f"; a spreadsheet has made a number of it: {_TEXT_COLUMN}" if _SCIENTIFIC.fullmatch(cell) else ""
        raise BadCell(f"is no hardware address; write it as 2c:cf:67:00:12:ab{hint}")
    digits = re.sub("[:-]", "", cell.lower())
    if int(digits[:2], 16) & 1 or not int(digits, 16):
        raise BadCell("is a group's address, never one port's; copy the port's own")
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def _network(cell: str) -> str | None:
    if cell and not is_id(_ascii(cell)):
        raise BadCell("is no network's name; write one of the campus's file, or nothing for a cable with DHCP")
    return cell or None


def _address(cell: str) -> str | None:
    if not cell:
        return None
    try:
        here = ipaddress.ip_interface(cell)
    except ValueError as error:
        raise BadCell("is no address with its prefix; write it as 10.20.0.31/22, or nothing for DHCP") from error
    if "/" not in cell or here.is_loopback or here.is_multicast or here.is_unspecified or here.is_link_local:
        raise BadCell("is not an address that a school's network gives; write it as 10.20.0.31/22")
    return str(here)


def _host_address(cell: str) -> str | None:
    try:
        return str(ipaddress.ip_address(cell)) if cell else None
    except ValueError as error:
        raise BadCell("is no IP address") from error


def _dns(cell: str) -> str | None:
    return " ".join(found for one in cell.split() if (found := _host_address(one))) or None


def _ascii(cell: str) -> str:
    """`cell`, if everybody can tell its letters apart."""
    odd = next((letter for letter in cell if not " " <= letter <= "~"), None)
    if odd is not None:
        raise BadCell(f"holds {_named(odd)}; write it with plain letters")
    return cell


def _named(letter: str) -> str:
    return f"U+{ord(letter):04X} {unicodedata.name(letter, 'a control character')}"


_READ: Final[Mapping[str, Callable[[str], str | None]]] = {
    "campus": _campus,
    "kiosk": _kiosk,
    "room": _room,
    "hostname": _hostname,
    "asset": _asset,
    "serial": _serial,
    "mac": _mac,
    "network": _network,
    "address": _address,
    "gateway": _host_address,
    "dns": _dns,
}
