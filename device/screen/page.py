"""The page itself: one template, filled with the first view, and a fixed set of files."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, StrictUndefined

from device.screen.model import View

_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_HERE: Final = files("device.screen")


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the page."""

    content: bytes
    media_type: str


class Page:
    """Read once at the start: the page works on when the card does not, and no path of a request reaches a disk."""

    def __init__(self) -> None:
        # `autoescape`, because a room may be called anything (H8).
        environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        self._template, self._setup, self._netcheck, self._waiting = (
            environment.from_string(_HERE.joinpath("templates", name).read_text(encoding="utf-8"))
            for name in ("kiosk.html", "commission.html", "netcheck.html", "waiting.html")
        )
        self.assets: Final = {
            found.name: Asset(found.read_bytes(), _TYPES[found.name.rpartition(".")[2]])
            for found in _HERE.joinpath("static").iterdir()
            if found.name.rpartition(".")[2] in _TYPES
        }

    def html(self, view: View, release: str) -> str:
        """The page with `view` on it; `release` changes when an open page has to load itself anew."""
        return self._template.render(view=view, release=release)

    def setup_html(self, view: Mapping[str, Any], language: str) -> str:
        """The page on which the cameras are set up, with what `setup_view` has for it."""
        return self._setup.render(view=view, language=language)

    def netcheck_html(self, **told: Any) -> str:
        """The page for the firewall team, with what `NetcheckPage` has for it."""
        return self._netcheck.render(**told)

    def waiting_html(self, **told: Any) -> str:
        """The page of a kiosk that may not run yet, with what `waiting` has for it."""
        return self._waiting.render(**told)
