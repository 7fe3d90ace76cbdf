"""A network, as the campus's file describes it. What could be joined only unsafely is refused here."""

import re
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from wire.settings_file import SettingsModel

Security = Literal["none", "wpa2-personal", "wpa3-personal", "eap-tls", "eap-peap"]
EAP: Final = ("eap-tls", "eap-peap")
_MOST_SSID_BYTES: Final = 32  # IEEE 802.11
_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")


class Network(SettingsModel):
    """One network: its medium, who may join it, and how the school proves that it is the school."""

    medium: Literal["wired", "wifi"]
    security: Security = "none"
    ssid: str = ""
    hidden: bool = False
    secret: str = ""
    """Which of the secrets is the passphrase or password."""
    identity: Annotated[str, Field(max_length=200)] = ""
    """802.1X; `{kiosk}` and `{hostname}` stand for the kiosk's."""
    anonymous_identity: Annotated[str, Field(max_length=200)] = ""
    ca: Path | None = None
    """802.1X: the PEM file of who signs the RADIUS server's certificate."""
    server_name: str = ""
    """802.1X: what that certificate's name has to end in."""
    certificates: Path | None = None
    """EAP-TLS: a folder with KIOSK.pem and KIOSK.key for each kiosk."""
    pac_url: str = ""
    """Where the school's proxy settings stand, for what asks NetworkManager for them."""

    @field_validator("ssid")
    @classmethod
    def _fits(cls, ssid: str) -> str:
        many = len(ssid.encode())
        if many > _MOST_SSID_BYTES:
            raise ValueError(
                f"is {many} bytes long in UTF-8; the name of a Wi-Fi network has at most {_MOST_SSID_BYTES}"
            )
        if any(ord(letter) < 32 or ord(letter) == 127 for letter in ssid):
            raise ValueError("holds a line end or another control character; type it anew")
        return ssid

    @field_validator("identity", "anonymous_identity")
    @classmethod
    def _one_line(cls, text: str) -> str:
        if not text.isprintable():
            raise ValueError("holds a line end or another control character; type it anew")
        return text

    @field_validator("pac_url")
    @classmethod
    def _is_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme not in {"http", "https"} or not parts.hostname or not re.fullmatch(r"[!-~]+", url)):
            raise ValueError("is no address of a proxy file; write it as http://proxy.school.example/proxy.pac")
        return url

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.medium == "wifi":
            if not self.ssid:
                raise ValueError("a Wi-Fi network needs its ssid")
            if self.security == "none":
                raise ValueError(
                    "an open Wi-Fi network lets anybody stand in its place; use WPA2, WPA3, 802.1X or a cable"
                )
        elif self.ssid or self.hidden or self.security in {"wpa2-personal", "wpa3-personal"}:
            raise ValueError(
                "a cable has no ssid and no WPA; write medium = 'wifi', or security = 'none', 'eap-tls', 'eap-peap'"
            )
        if self.security in EAP:
            self._require_proof()
        elif self.ca or self.server_name or self.identity or self.certificates or self.anonymous_identity:
            raise ValueError(
                "identity, ca, server_name and certificates belong to 802.1X: security = 'eap-tls' or 'eap-peap'"
            )
        needs_secret = self.security in {"wpa2-personal", "wpa3-personal", "eap-peap"}
        if needs_secret != bool(self.secret):
            raise ValueError("name the secret it needs" if needs_secret else "it needs no secret")
        return self

    def _require_proof(self) -> None:
        """Without both, a kiosk gives its password to whoever sets up a network of the same name."""
        if self.ca is None or not self.server_name:
            raise ValueError(
                "802.1X needs ca and server_name: without both, any access point of that name gets the kiosk's password"
            )
        if not _HOST.fullmatch(self.server_name.lower()) or "." not in self.server_name:
            raise ValueError(f"server_name {self.server_name!r} is no host's name such as radius.school.example")
        if not self.identity:
            raise ValueError("802.1X needs an identity, such as '{kiosk}@school.example'")
        if (self.security == "eap-tls") != (self.certificates is not None):
            raise ValueError("certificates names a folder of client certificates: EAP-TLS needs it, PEAP has none")
