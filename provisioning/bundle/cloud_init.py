"""What cloud-init reads from the card of a current Raspberry Pi OS: user-data, network-config, meta-data.

No secret stands in them: cloud-init keeps copies, readable for longer than one likes. Beside naming the machine,
user-data has the kiosk check and apply the signed part, and nothing else (docs/adr/0030).
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import yaml

from provisioning.campus_file import CampusFile
from provisioning.register import Campus
from provisioning.roster.device import Device
from wire.bundles import FOLDER

BOOT: Final = "/boot/firmware"
"""Where the card's first partition, on which cloud-init looks, lies on a running Raspberry Pi OS."""

_DUMPER: Final[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def seed(campus: Campus, file: CampusFile, device: Device, rest: Mapping[str, bytes]) -> dict[str, bytes]:
    """The three files by name; `rest` is the bundle's other files, so that a changed one counts as a new machine."""
    user_data = b"#cloud-config\n" + _yaml(_user_data(campus, file, device))
    # NetworkManager has every port, and no profile comes from here: netplan knows no domain-suffix-match.
    network_config = _yaml({"network": {"version": 2, "renderer": "NetworkManager"}})
    # cloud-init does its work once for each instance-id; the old one on a new bundle would mean that nothing happens.
    seen = hashlib.sha256(user_data + network_config)
    for name in sorted(rest):
        seen.update(name.encode() + hashlib.sha256(rest[name]).digest())
    meta_data = _yaml({"instance-id": f"{device.kiosk}-{seen.hexdigest()[:12]}", "local-hostname": device.hostname})
    return {"user-data": user_data, "network-config": network_config, "meta-data": meta_data}


def _user_data(campus: Campus, file: CampusFile, device: Device) -> dict[str, Any]:
    users = []
    if file.ssh_keys:
        users = [
            {
                "name": "carrel-it", "gecos": "campus IT", "groups": ["adm", "sudo", "video"], "shell": "/bin/bash",
                "lock_passwd": True, "sudo": "ALL=(ALL) NOPASSWD:ALL", "ssh_authorized_keys": list(file.ssh_keys),
            }
        ]  # fmt: skip
    told: dict[str, Any] = {
        "hostname": device.hostname,
        "preserve_hostname": False,
        "manage_etc_hosts": True,
        "timezone": campus.time_zone,
        "ssh_pwauth": False,
        "disable_root": True,
        "users": users,
    }
    if file.ntp_servers:
        told["ntp"] = {
            "enabled": True,
            "ntp_client": "systemd-timesyncd",
            "servers": [one.partition(":")[0] if one.count(":") == 1 else one for one in file.ntp_servers],
        }
    if file.proxy:
        told["apt"] = {"http_proxy": file.proxy, "https_proxy": file.proxy}
    told["runcmd"] = [
        ["raspi-config", "nonint", "do_wifi_country", file.country],
        ["carrel-kiosk", "bundle", "apply", f"{BOOT}/{FOLDER}"],
        ["nmcli", "connection", "reload"],
    ]
    return told


def _yaml(value: Any) -> bytes:
    return bytes(yaml.dump(value, Dumper=_DUMPER, sort_keys=False, encoding="utf-8", width=1000))
