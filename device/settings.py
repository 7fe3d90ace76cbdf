"""kiosk.toml: what one kiosk is told about itself. Unknown keys are refused, with a suggestion."""

import re
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, PositiveFloat, PositiveInt, field_validator, model_validator

from device.audio.level import FLOOR_DBFS
from device.board import board_model
from device.cameras.crypt import fleet_key
from device.cameras.source import CameraSpec
from device.cameras.uri import parse_uri
from device.kit import kit
from device.receipts import receipt_key
from device.screen.catalogues import ENGLISH, languages
from device.session.clock import zone_of
from device.snapshot import Place
from wire.ids import Id
from wire.settings_file import SettingsModel

Port = Annotated[int, Field(ge=1, le=65535)]
UsbId = Annotated[str, Field(pattern=r"^([0-9a-fA-F]{4}:[0-9a-fA-F]{4})?$")]
Pin = Annotated[int, Field(ge=0, le=27)]

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
"""Hosts that are this machine: what goes to them need not be encrypted."""


class KioskSettings(SettingsModel):
    """Which kiosk this is, and whom its screen says to call."""

    id: Id
    campus: Id
    room: str = Field(default="", max_length=40)
    help_call: str = Field(default="", max_length=40)
    therapist_call: str = Field(default="", max_length=40)
    time_zone: str = "UTC"
    language: str = ENGLISH

    @field_validator("language")
    @classmethod
    def _spoken(cls, name: str) -> str:
        if name not in languages():
            raise ValueError(f"there is no catalogue for {name!r}; the kiosk speaks {', '.join(languages())}")
        return name

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        zone_of(name)
        return name


class CameraSettings(SettingsModel):
    """One camera: where its frames come from and what it is asked for."""

    uri: str
    width: PositiveInt
    height: PositiveInt
    fps: PositiveFloat
    bitrate_bps: Annotated[int, Field(ge=50_000, le=50_000_000)]
    """What its H.264 may take, bits per second."""
    encoder: Literal["software", "hardware"]
    focus_dioptres: Annotated[float, Field(ge=0, le=32)] | None = None
    """Where the lens is held, 1 / metres; left out, a lens that can move stays at its own rest."""

    @field_validator("uri")
    @classmethod
    def _known_uri(cls, uri: str) -> str:
        parse_uri(uri)
        return uri


class CamerasSettings(SettingsModel):
    """Both cameras, and whether they may be open outside sessions."""

    idle: Literal["before-bookings", "watch", "closed"] = "before-bookings"
    mains_hz: Literal[50, 60] = 60
    """The frequency of the lamps' mains, whose flicker is kept out of the pictures."""
    picture_checks: bool = True
    """Whether anything looks at the pictures; without it no picture is ever found dark, covered, blurred or moved."""
    reboot: Literal["outside-sessions", "never"] = "outside-sessions"
    """Whether the kiosk may restart itself when nothing else brings a camera back."""
    overhead: CameraSettings
    front: CameraSettings

    def spec(self, role: str, *, exchanged: bool = False) -> CameraSpec:
        """The camera of `role`, as it is asked for; `exchanged`, it is the device that stands for the other role."""
        of, other = (self.overhead, self.front) if role == "overhead" else (self.front, self.overhead)
        device = other if exchanged else of
        return CameraSpec(
            role=role, uri=device.uri, width=of.width, height=of.height, fps=of.fps, bitrate_bps=of.bitrate_bps,
            focus_dioptres=device.focus_dioptres, mains_hz=self.mains_hz, encoder=of.encoder,
        )  # fmt: skip

    @model_validator(mode="after")
    def _two_cameras(self) -> Self:
        """One device cannot be both: the second worker would only find it busy."""
        if self.overhead.uri == self.front.uri and parse_uri(self.front.uri).scheme in {"v4l2", "picamera2"}:
            raise ValueError(f"overhead and front are the same camera, {self.front.uri}; name one device for each")
        return self

    @model_validator(mode="before")
    @classmethod
    def _from_kit(cls, value: object) -> object:
        """What the file does not say of a camera is as the kit has it."""
        if not isinstance(value, dict):
            return value
        board = kit().board(board_model())
        for role, fitted in (("overhead", board.overhead), ("front", board.front)):
            told = value.get(role)
            if isinstance(told, dict):
                value = {**value, role: {**fitted.model_dump(), "encoder": board.encoder, **told}}
        return value


class RecordingSettings(SettingsModel):
    """What may lie on this kiosk's disk, for whom it is sealed, and for how long."""

    fleet_key: str = ""
    """What `carrel-fleet segment-key` prints; without it nothing is ever recorded."""
    receipt_key: str = ""
    """What `carrel-fleet receipt-key` prints; without it no recording is ever sent, and none deleted as sent."""
    quota_gb: PositiveFloat = 16.0
    """Two cameras of 3 Mbit/s fill it in six hours."""
    reserve_gb: PositiveFloat = 0.5
    """What recordings leave free on the disk: the ledger's room."""
    keep_hours: PositiveFloat = 336.0
    """Older segments are destroyed, whether the fleet has them or not."""

    @field_validator("fleet_key")
    @classmethod
    def _is_key(cls, text: str) -> str:
        if text:
            fleet_key(text)
        return text

    @field_validator("receipt_key")
    @classmethod
    def _is_receipt_key(cls, text: str) -> str:
        if text:
            receipt_key(text)
        return text

    @property
    def quota_bytes(self) -> int:
        """The quota in bytes."""
        return round(self.quota_gb * 1e9)

    @property
    def reserve_bytes(self) -> int:
        """The reserve in bytes."""
        return round(self.reserve_gb * 1e9)


class UploadSettings(SettingsModel):
    """How recordings go to the fleet, which says where; `[recording] receipt_key` has to be set."""

    session_kbit_s: Annotated[int, Field(ge=32, le=100_000)] = 256
    """While a session runs, for both cameras together."""
    idle_mbit_s: Annotated[float, Field(ge=0.1, le=1_000)] = 8.0
    """Outside sessions."""
    allowed_hosts: tuple[str, ...] = ()
    """Further hosts, beside those of the brokers, to which recordings may be sent."""
    ca: Path | None = None
    """Whom to trust for it; left out, as for the brokers."""


class PanelSettings(SettingsModel):
    """BCM pins of button and lamps; the kit's own unless the file says otherwise."""

    button_pin: Pin = Field(default_factory=lambda: kit().panel.button_pin)
    lamp_pin: Pin = Field(default_factory=lambda: kit().panel.lamp_pin)
    camera_lamp_pin: Pin = Field(default_factory=lambda: kit().panel.camera_lamp_pin)
    overhead_shutter_pin: Pin | None = Field(default_factory=lambda: kit().panel.overhead_shutter_pin)
    front_shutter_pin: Pin | None = Field(default_factory=lambda: kit().panel.front_shutter_pin)


class LinkSettings(SettingsModel):
    """The brokers, tried in turn, and this kiosk's identity to them."""

    urls: tuple[str, ...] = Field(min_length=1)
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @field_validator("urls")
    @classmethod
    def _usable(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            parts = urlsplit(url)
            if parts.scheme not in {"mqtts", "mqtt", "wss"} or not parts.hostname:
                raise ValueError(f"{url!r}: write mqtts://host:8883, wss://host:443/mqtt, or mqtt:// on loopback")
            if parts.scheme == "mqtt" and parts.hostname not in LOOPBACK:
                raise ValueError(f"{url!r}: mqtt:// is not encrypted and may only lead to this machine; use mqtts://")
        return urls


class NetworkSettings(SettingsModel):
    """What else of the network this kiosk may be told, for its own check of it."""

    fleet_url: str = ""
    """The fleet's own address, https://; left out, only the brokers are looked at."""
    ntp_servers: tuple[str, ...] = ()
    """The school's time servers, `host` or `host:port`; left out, the machine's own time service is believed."""

    @field_validator("fleet_url")
    @classmethod
    def _is_fleet(cls, url: str) -> str:
        parts = urlsplit(url)
        is_ours = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        if url and (not is_ours or not parts.hostname or parts.username or parts.query or parts.fragment):
            raise ValueError(f"{url!r}: write https://host or https://host:port; http:// may only lead to this machine")
        return url

    @field_validator("ntp_servers")
    @classmethod
    def _are_hosts(cls, servers: tuple[str, ...]) -> tuple[str, ...]:
        for one in servers:
            if not re.fullmatch(r"[A-Za-z0-9.:-]{1,253}", one):
                raise ValueError(f"{one!r}: write a host's name or address, with :port only where it is not 123")
        return servers


class AudioSettings(SettingsModel):
    """Microphone and loudspeaker; the kit's own unless the file says otherwise."""

    fitted: bool = Field(default_factory=lambda: kit().audio.fitted)
    microphone: UsbId = Field(default_factory=lambda: kit().audio.microphone)
    """Its USB id, `vendor:product`; empty: the first USB device that captures."""
    speaker: UsbId = Field(default_factory=lambda: kit().audio.speaker)
    floor_dbfs: Annotated[float, Field(ge=-120, le=0)] = FLOOR_DBFS
    """What is never louder than this counts as silent."""


class ScreenSettings(SettingsModel):
    """The kiosk's own page, on loopback only."""

    port: Port = 8080
    tones: bool = True
    """Whether start, pause, end and refusal are heard as well as seen."""


class Settings(SettingsModel):
    """The whole of kiosk.toml."""

    data_dir: Path
    kiosk: KioskSettings
    cameras: CamerasSettings
    link: LinkSettings
    panel: PanelSettings = PanelSettings()
    screen: ScreenSettings = ScreenSettings()
    recording: RecordingSettings = RecordingSettings()
    upload: UploadSettings = UploadSettings()
    network: NetworkSettings = NetworkSettings()
    audio: AudioSettings = AudioSettings()

    @property
    def upload_hosts(self) -> frozenset[str]:
        """The hosts, in lower case, to which recordings may be sent."""
        brokers = (urlsplit(url).hostname or "" for url in self.link.urls)
        return frozenset(host.lower() for host in (*brokers, *self.upload.allowed_hosts) if host)

    @property
    def place(self) -> Place:
        """Where the kiosk stands, for its screen."""
        of = self.kiosk
        return Place(of.id, of.campus, of.room or of.id, of.help_call, of.therapist_call, of.time_zone)
