"""The broker's rules as the text of mosquitto's files. Pure.

mosquitto 2.0 and newer. A kiosk is whom its certificate names: the CN is its user name and its client id, whatever it
sends (M6), and every right is written with that name in it (M1, M7). The fleet has a listener of its own, where it is
known by its whole subject: no campus's authority can make `OU=services`. Persistence is off, because the broker holds
nothing that matters.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wire.codec import MAX_PAYLOAD_BYTES
from wire.topics import FROM_FLEET, FROM_KIOSK, ROOT, Channel

CONF, KIOSKS, FLEET, NOBODY = "mosquitto.conf", "kiosks.acl", "fleet.acl", "nobody.acl"
AUTHORITIES, CRL, CERTIFICATE, KEY = "root.pem", "crl.pem", "broker.pem", "broker.key"
PID: Final = "broker.pid"
KICK: Final = "kick.sock"
WEBSOCKETS: Final = "protocol websockets"
FLEET_NAME: Final = "carrel-fleet"
FLEET_SUBJECT: Final = f"CN={FLEET_NAME},OU=services"
MAX_PACKET_BYTES: Final = MAX_PAYLOAD_BYTES + 4_096
"""A payload over 256 KiB is refused unparsed by everybody anyway; so much more for topic and properties."""
MAX_QUEUED: Final = 1_000
"""Messages waiting for one slow client; facts dropped here are sent again, because nobody acknowledged them."""
MAX_QUEUED_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a broker listens, and for whom."""

    folder: Path
    """Of its files; the user it runs as must be able to read them, and nobody else the key."""
    address: str = "0.0.0.0"  # noqa: S104  # kiosks come from everywhere in the district, with a certificate
    port: int = 8883
    websockets_port: int = 443
    """Schools block the other one. 0 is none, which spares a restart at every revocation (docs/adr/0033)."""
    fleet_address: str = "127.0.0.1"
    fleet_port: int = 8884
    campus: str = "+"
    """A broker of one campus can name it; `+` is any."""
    max_kiosks: int = 5_000


def conf(of: Broker) -> str:
    """`mosquitto.conf`."""
    tls = f"""cafile {of.folder / AUTHORITIES}
certfile {of.folder / CERTIFICATE}
keyfile {of.folder / KEY}
crlfile {of.folder / CRL}
tls_version tlsv1.2
require_certificate true
allow_anonymous false"""
    kiosks = f"""{tls}
use_identity_as_username true
use_username_as_clientid true
acl_file {of.folder / KIOSKS}
max_connections {of.max_kiosks}"""
    websockets = f"""
# Kiosks behind firewalls that let out 443 only.
listener {of.websockets_port} {of.address}
{WEBSOCKETS}
{kiosks}
"""
    return f"""# Written by `carrel-provision broker write`; change it there.
per_listener_settings true
persistence false
max_packet_size {MAX_PACKET_BYTES}
max_queued_messages {MAX_QUEUED}
max_queued_bytes {MAX_QUEUED_BYTES}
max_inflight_messages 100
max_keepalive 60
pid_file {of.folder / PID}
connection_messages true
log_type error
log_type warning
log_type notice

# Kiosks.
listener {of.port} {of.address}
protocol mqtt
{kiosks}
{websockets if of.websockets_port else ""}
# The fleet, by its whole subject.
listener {of.fleet_port} {of.fleet_address}
protocol mqtt
{tls}
use_subject_as_username true
acl_file {of.folder / FLEET}

# Whoever connects here as a kiosk throws that kiosk out, and can do nothing else. The folder's rights say who may.
listener 0 {of.folder / KICK}
allow_anonymous true
acl_file {of.folder / NOBODY}
"""


def kiosks_acl(campus: str, shut_out: Iterable[str]) -> str:
    """Each kiosk's rights by its name (%u), and those who have none any more, whatever certificate they hold."""
    out = "".join(f"user {name}\ntopic deny #\n" for name in sorted(set(shut_out)))
    return out + "".join(
        f"pattern {right} {ROOT}/{campus}/%u/{channel}\n"
        for right, channels in (
            ("write", [one for one in FROM_KIOSK if one is not Channel.ECHO]),
            ("readwrite", [Channel.ECHO]),
            ("read", [one for one in FROM_FLEET if one is not Channel.ECHO]),
        )
        for channel in channels
    )


def fleet_acl(campus: str) -> str:
    """The fleet's rights: it hears what kiosks say, and says what only the fleet may."""
    return f"user {FLEET_SUBJECT}\n" + "".join(
        f"topic {right} {ROOT}/{campus}/+/{channel}\n"
        for right, channels in (
            ("read", [one for one in FROM_KIOSK if one is not Channel.ECHO]),
            ("readwrite", [Channel.ECHO]),
            ("write", [one for one in FROM_FLEET if one is not Channel.ECHO]),
        )
        for channel in channels
    )


def nobody_acl() -> str:
    """No rights; an empty file would be all of them."""
    return "topic deny #\n"
