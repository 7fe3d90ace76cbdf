"""kiosk.toml for one kiosk."""

from typing import Any

import tomli_w

from provisioning.campus_file import CampusFile
from provisioning.register import Campus
from provisioning.roster.device import Device
from wire.bundles import AUTHORITY, FOLDER
from wire.claims import CERTIFICATE_FILE, KEY_FILE

INSTALLED = "/etc/carrel"
"""Where the kiosk keeps what its bundle brought."""
DATA = "/var/lib/carrel"


def kiosk_toml(campus: Campus, file: CampusFile, device: Device) -> bytes:
    """The file's bytes, as device/settings.py reads them."""
    link: dict[str, Any] = {"urls": list(file.urls)}
    if file.ca is not None:
        link["ca"] = AUTHORITY.replace(FOLDER, INSTALLED, 1)
    if any(url.startswith(("mqtts://", "wss://")) for url in file.urls):
        link |= {"certificate": f"{DATA}/{CERTIFICATE_FILE}", "key": f"{DATA}/{KEY_FILE}"}
    told = {
        "data_dir": DATA,
        "kiosk": {
            "id": device.kiosk, "campus": campus.id, "room": device.room, "help_call": file.help_call,
            "therapist_call": file.therapist_call, "time_zone": campus.time_zone, "language": file.language,
        },
        "cameras": {
            "idle": file.cameras.idle, "mains_hz": file.cameras.mains_hz,
            "overhead": {"uri": file.cameras.overhead}, "front": {"uri": file.cameras.front},
        },
        "link": link,
        "recording": {"fleet_key": file.fleet_key, "receipt_key": file.receipt_key},
        "network": {"fleet_url": file.fleet_url, "ntp_servers": list(file.ntp_servers)},
    }  # fmt: skip
    return tomli_w.dumps(told).encode()
