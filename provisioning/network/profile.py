"""A network for one kiosk, as sections of a keyfile. Pure: what stands in files was read before."""

import re
import uuid
from typing import Final

from pydantic import SecretStr

from provisioning.errors import NetworkRefused
from provisioning.network.description import EAP, Network
from provisioning.network.keyfile import Sections, bytes_list
from provisioning.roster.device import Device

INSTALLED: Final = "/etc/carrel/network"
"""Where the kiosk keeps the certificates that the keyfile speaks of."""
CA_FILE: Final = "network-ca.pem"
CLIENT_FILE: Final = "client.pem"
KEY_FILE: Final = "client.key"

_NAMESPACE: Final = uuid.UUID("6f0f7d0a-3a53-4a43-9d0c-5a4f2f6b2a10")
_PASSPHRASE: Final = re.compile(r"[ -~]{8,63}")
_RAW_KEY: Final = re.compile(r"[0-9a-fA-F]{64}")


def sections(name: str, network: Network, device: Device, secret: SecretStr | None) -> Sections:
    """What NetworkManager is told.

    Args:
        name: the network's in the campus's file.
        network: as described there.
        device: the kiosk; its fixed address, if it has one.
        secret: the passphrase or password, where the network needs one.

    Raises:
        NetworkRefused: the secret cannot be one of this network. The message does not hold it.
    """
    medium = "wifi" if network.medium == "wifi" else "ethernet"
    told: dict[str, dict[str, str]] = {
        "connection": {
            "id": f"carrel-{name}",
            "uuid": str(uuid.uuid5(_NAMESPACE, f"{device.campus}/{device.kiosk}/{name}")),
            "type": medium,
            "autoconnect-priority": "10",
            "autoconnect-retries": "0",  # for ever: nobody stands beside it with a keyboard
        },
        # The port's own address, always: schools register it, and a random one is a stranger each time.
        medium: {"cloned-mac-address": "permanent"},
    }
    if network.medium == "wifi":
        told["wifi"] |= {"mode": "infrastructure", "ssid": bytes_list(network.ssid.encode()), "powersave": "2"}
        if network.hidden:
            told["wifi"]["hidden"] = "true"
        told["wifi-security"] = _wifi_security(name, network, secret)
    if network.security in EAP:
        told["802-1x"] = _eap(name, network, device, secret)
    told |= _addresses(device)
    if network.pac_url:
        told["proxy"] = {"method": "1", "pac-url": network.pac_url}
    return told


def _wifi_security(name: str, network: Network, secret: SecretStr | None) -> dict[str, str]:
    if network.security in EAP:
        return {"key-mgmt": "wpa-eap"}
    value = _value(name, network, secret)
    if network.security == "wpa3-personal":
        if not _PASSPHRASE.fullmatch(value):
            raise NetworkRefused(f"network {name}: {_about(network, value)}, and WPA3's has 8 to 63 plain characters")
        return {"key-mgmt": "sae", "pmf": "3", "psk": value}
    if not _PASSPHRASE.fullmatch(value) and not _RAW_KEY.fullmatch(value):
        raise NetworkRefused(
            f"network {name}: {_about(network, value)}, and WPA2's has 8 to 63 plain characters, "
            "or is a key of 64 digits 0-9 a-f"
        )
    return {"key-mgmt": "wpa-psk", "proto": "rsn;", "psk": value}


def _eap(name: str, network: Network, device: Device, secret: SecretStr | None) -> dict[str, str]:
    told = {
        "identity": _for(network.identity, device),
        "ca-cert": f"{INSTALLED}/{CA_FILE}",
        "domain-suffix-match": network.server_name.lower(),
        "system-ca-certs": "false",
    }
    if network.anonymous_identity:
        told["anonymous-identity"] = _for(network.anonymous_identity, device)
    if network.security == "eap-tls":
        return told | {
            "eap": "tls;",
            "client-cert": f"{INSTALLED}/{CLIENT_FILE}",
            "private-key": f"{INSTALLED}/{KEY_FILE}",
            "private-key-password-flags": "4",  # it has none, and is readable by root alone
        }
    password = _value(name, network, secret)
    if not password or not password.isprintable():
        raise NetworkRefused(f"network {name}: {_about(network, password)}, or holds a control character")
    return told | {"eap": "peap;", "phase2-auth": "mschapv2", "password": password}


def _addresses(device: Device) -> dict[str, dict[str, str]]:
    if device.address is None:
        return {"ipv4": {"method": "auto"}, "ipv6": {"method": "auto"}}
    here, other = ("ipv6", "ipv4") if ":" in device.address else ("ipv4", "ipv6")
    fixed = {"method": "manual", "address1": ",".join(one for one in (device.address, device.gateway) if one)}
    if device.dns:
        fixed["dns"] = "".join(f"{one};" for one in device.dns.split())
    return {here: fixed, other: {"method": "auto"}}


def _value(name: str, network: Network, secret: SecretStr | None) -> str:
    if secret is None:
        raise NetworkRefused(f"network {name}: there is no secret {network.secret!r} in the file of secrets")
    return secret.get_secret_value()


def _about(network: Network, value: str) -> str:
    return f"the secret {network.secret!r} is {len(value)} characters long"


def _for(text: str, device: Device) -> str:
    return text.replace("{kiosk}", device.kiosk).replace("{hostname}", device.hostname)
