"""A campus's file: what all of its kiosks have in common. It holds no secret; it names them."""

import re
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from provisioning.network.description import Network
from wire.ids import Id, is_id
from wire.settings_file import SettingsModel, read_settings

_Call = Annotated[str, Field(max_length=40)]
_Key = Annotated[str, Field(pattern=r"^([A-Za-z0-9+/]{43}=)?\z")]
_Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]{1,253}\z")]
_SshKey = Annotated[str, Field(pattern=r"^(ssh-ed25519|ecdsa-sha2-nistp256|ssh-rsa) [A-Za-z0-9+/=]+( [!-~ ]*)?\z")]


class Cameras(SettingsModel):
    """What `[cameras]` of each kiosk.toml says; sizes and rates are the kit's."""

    overhead: str
    front: str
    idle: Annotated[str, Field(pattern=r"^(before-bookings|watch|closed)\z")] = "before-bookings"
    mains_hz: Annotated[int, Field(json_schema_extra={"enum": [50, 60]})] = 60


class CampusFile(SettingsModel):
    """The whole file."""

    campus: Id
    fleet_url: str
    urls: tuple[str, ...] = Field(min_length=1)
    """The brokers, tried in turn."""
    ca: Path | None = None
    """The PEM file of the district's own authority."""
    cameras: Cameras
    help_call: _Call = ""
    therapist_call: _Call = ""
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z]{2,4})?\z")] = "en"
    fleet_key: _Key = ""
    """What `carrel-fleet segment-key` prints."""
    receipt_key: _Key = ""
    """What `carrel-fleet receipt-key` prints."""
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}\z")] = "US"
    """Wi-Fi stays switched off on a Raspberry Pi that does not know in which country it stands."""
    ntp_servers: tuple[_Host, ...] = ()
    proxy: str = ""
    """For apt and for what the kiosk asks over HTTPS; MQTT goes directly."""
    ssh_keys: tuple[_SshKey, ...] = ()
    """Who may sign in as `carrel-it`; without any, nobody can. There is no password in any case."""
    networks: dict[str, Network] = Field(default_factory=dict)

    @field_validator("fleet_url")
    @classmethod
    def _is_fleet(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or parts.username or parts.query or parts.fragment:
            raise ValueError(f"{url!r}: write https://host or https://host:port")
        return url.rstrip("/")

    @field_validator("urls")
    @classmethod
    def _are_brokers(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            parts = urlsplit(url)
            if parts.scheme not in {"mqtts", "wss"} or not parts.hostname:
                raise ValueError(f"{url!r}: write mqtts://host:8883 or wss://host:443/mqtt")
        return urls

    @field_validator("proxy")
    @classmethod
    def _is_proxy(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (
            parts.scheme not in {"http", "https"}
            or not parts.hostname
            or not re.fullmatch(r"[A-Za-z0-9:/.\[\]-]+", url)
        ):
            raise ValueError("write http://host:port, with no name and no password in it")
        return url

    @model_validator(mode="after")
    def _named(self) -> Self:
        odd = next((name for name in self.networks if not is_id(name)), None)
        if odd is not None:
            raise ValueError(f"{odd!r} is no network's name: 3 to 40 of a-z 0-9 -")
        return self


def read_campus_file(path: Path) -> CampusFile:
    """The campus's file at `path`; the paths in it count from where it lies.

    Raises:
        SettingsError: it cannot be read, or says something that cannot be.
    """
    read = read_settings(CampusFile, path)
    here = path.parent
    networks = {
        name: one.model_copy(
            update={
                "ca": here / one.ca if one.ca else None,
                "certificates": here / one.certificates if one.certificates else None,
            }
        )
        for name, one in read.networks.items()
    }
    return read.model_copy(update={"ca": here / read.ca if read.ca else None, "networks": networks})
