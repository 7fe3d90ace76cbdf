"""The words of the page that a kiosk shows before it may run; what each says stands in `locale/…/waiting.po`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from device.screen.catalogues import tables


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingWords:
    """One language. Which one is wanted nobody knows yet, so the page says it in all."""

    language: str
    direction: str
    title: Mapping[str, str]
    """By what is waited for (`device/appliance/waiting.py`)."""
    do: Mapping[str, str]


TABLES: Final = tables(WaitingWords, "waiting")
