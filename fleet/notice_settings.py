"""What `fleet.toml` says of how notices leave: `[smtp]` and `[webhook]`."""

from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from fleet.addresses import email_fault, is_this_machine
from wire.settings_file import SettingsModel


def _address(text: str) -> str:
    _, address = parseaddr(text)
    if (fault := email_fault(address)) is not None:
        raise ValueError(f"{text!r}: {fault}")
    return text


class Smtp(SettingsModel):
    """`[smtp]`: the mail server of the district."""

    host: str
    port: Annotated[int, Field(ge=1, le=65_535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    """The server's certificate is always verified; `none` is allowed on this machine only."""
    sender: Annotated[str, AfterValidator(_address)]
    username: str | None = None
    password_file: Path | None = None
    """A file that its owner alone may read, with the password and nothing else; relative to the settings file."""
    ca: Path | None = None
    """Whom to trust; null is the system's authorities."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.username is None) != (self.password_file is None):
            raise ValueError("username and password_file belong together; give both or neither")
        if self.security == "none" and not is_this_machine(self.host):
            raise ValueError(
                "security: mail that is not encrypted is allowed on this machine only; use starttls or tls"
            )
        return self


class WebhookRules(SettingsModel):
    """`[webhook]`: where webhooks may lead."""

    allow_private: bool = False
    """Also to private addresses and this machine (there also http://); never to link-local or multicast ones."""
    ca: Path | None = None
    """Whom to trust beside nobody else; null is the system's authorities."""
