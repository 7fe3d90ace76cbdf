"""The fleet's settings: one TOML file, read strictly."""

import ipaddress
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Field, model_validator

from fleet.errors import SettingsUnusable
from fleet.notice_settings import Smtp, WebhookRules
from fleet.school import SchoolHours
from wire.ids import Id
from wire.settings_file import SettingsError, SettingsModel, read_settings
from wire.zones import ZoneName

DEFAULT_PORTS: Final = {"mqtt": 1883, "mqtts": 8883, "wss": 443}


def is_loopback(host: str) -> bool:
    """Whether `host` names this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _broker(url: str) -> str:
    parts = _split(url)
    if parts.scheme not in DEFAULT_PORTS:
        raise ValueError(f"{url!r}: a broker's address begins with mqtts://, wss:// or, on this machine only, mqtt://")
    if not parts.hostname:
        raise ValueError(f"{url!r} names no host")
    if parts.username or parts.password:
        raise ValueError("no user or password belongs in a broker's address; use [broker_login]")
    if parts.scheme == "mqtt" and not is_loopback(parts.hostname):
        raise ValueError(f"{url!r}: mqtt:// is not encrypted and allowed on this machine only; use mqtts:// or wss://")
    return url


def _public(url: str) -> str:
    parts = _split(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
        raise ValueError(f"{url!r}: write it as https://fleet.example, without a path")
    return url.rstrip("/")


def _split(url: str) -> SplitResult:
    parts = urlsplit(url)
    _ = parts.port  # raises ValueError with its own words for a port that is no port
    return parts


class Tls(SettingsModel):
    """What mqtts:// and wss:// need: whom to trust, and who we are."""

    ca: Path | None = None
    """Null trusts the system's authorities."""
    cert: Path | None = None
    key: Path | None = None

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key belong together; give both or neither")
        return self


class BrokerLogin(SettingsModel):
    """For brokers that ask for a name; the password stands alone in a file of its own."""

    username: str
    password_file: Path


class FleetSettings(SettingsModel):
    """Everything that `fleet.toml` may say."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """0 takes any free port."""
    data_dir: Path = Path("fleet-data")
    """Relative paths count from the folder of the settings file."""
    database: str | None = None
    """A SQLAlchemy URL; null is a SQLite file in `data_dir`."""
    brokers: Annotated[tuple[Annotated[str, AfterValidator(_broker)], ...], Field(min_length=1)] = (
        "mqtt://127.0.0.1:1883",
    )
    """Tried in turn."""
    tls: Tls = Tls()
    broker_login: BrokerLogin | None = None
    keep_stills_days: Annotated[int, Field(ge=1, le=3_650)] = 30
    """Older worksheet stills are destroyed."""
    public_url: Annotated[str, AfterValidator(_public)] | None = None
    """How people reach this service, for the links it makes; null is host and port."""
    upload_url: Annotated[str, AfterValidator(_public)] | None = None
    """How kiosks reach this service to send recordings; null is as people do. https://, or http:// on loopback."""
    authorities: dict[Id, Path] = Field(default_factory=dict)
    """By campus the socket of `carrel-provision ca serve`; a campus without one enrols nobody."""
    time_zone: ZoneName | None = None
    """In which local times of campuses without a calendar are read, by its IANA name; null is this machine's."""
    school_hours: SchoolHours = SchoolHours()
    smtp: Smtp | None = None
    """Null: nobody is told by e-mail."""
    webhook: WebhookRules = WebhookRules()
    keep_incidents_days: Annotated[int, Field(ge=7, le=3_650)] = 90
    """Older incidents are dropped, unless a booking was touched."""
    keep_records_years: Annotated[int, Field(ge=1, le=100)] = 7
    """How long session records are kept, and the incidents that touch them."""
    hosts: tuple[str, ...] = ()
    """Further names under which this service answers, beside loopback and the public one."""

    @property
    def database_url(self) -> str:
        """Where the store is."""
        return self.database or f"sqlite:///{self.data_dir / 'fleet.sqlite'}"

    @property
    def segment_keys_dir(self) -> Path:
        """Where the keys lie to which kiosks seal their video."""
        return self.data_dir / "segment-keys"

    @property
    def segments_dir(self) -> Path:
        """Where the segments lie that kiosks sent."""
        return self.data_dir / "segments"

    @property
    def kiosk_url(self) -> str:
        """What kiosks are told to send recordings to."""
        return self.upload_url or self.own_url

    @property
    def own_url(self) -> str:
        """What a link to this service begins with."""
        if self.public_url:
            return self.public_url
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def known_hosts(self) -> frozenset[str]:
        """The names, in lower case and without port, that a request may call us by, beside loopback."""
        urls = {urlsplit(url).hostname or "" for url in (self.own_url, self.kiosk_url)}
        named = {*urls, self.host, *self.hosts}
        return frozenset(name.lower() for name in named if name and name not in {"0.0.0.0", "::"})  # noqa: S104  # compared, not bound


def load(path: Path) -> FleetSettings:
    """The settings in the file at `path`, its relative paths made absolute.

    Raises:
        SettingsUnusable: the message names file, key and what to write instead.
    """
    try:
        read = read_settings(FleetSettings, path)
    except SettingsError as error:
        raise SettingsUnusable(str(error)) from error
    here = path.resolve().parent
    tls = {name: here / value for name, value in read.tls if value is not None}
    login, smtp, webhook = read.broker_login, read.smtp, read.webhook
    return read.model_copy(
        update={
            "data_dir": here / read.data_dir,
            "authorities": {campus: here / path for campus, path in read.authorities.items()},
            "tls": Tls.model_validate(tls),
            "smtp": smtp and smtp.model_copy(update=_beside(here, password_file=smtp.password_file, ca=smtp.ca)),
            "webhook": webhook.model_copy(update=_beside(here, ca=webhook.ca)),
            "broker_login": login and login.model_copy(update={"password_file": here / login.password_file}),
        }
    )


def _beside(here: Path, **paths: Path | None) -> dict[str, Path | None]:
    return {name: path and here / path for name, path in paths.items()}
