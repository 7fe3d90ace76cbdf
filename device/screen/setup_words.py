"""The words of the page on which the cameras are set up; what each says stands in `locale/…/setup.po`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from device.screen.catalogues import tables


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupWords:
    """One language."""

    language: str
    direction: str
    title: str
    stage_title: Mapping[str, str]
    """What the page says at each stage, and what to do."""
    stage_do: Mapping[str, str]
    advice_title: Mapping[str, str]
    """The same while the cameras are being aimed; about one camera or the mat."""
    advice_do: Mapping[str, str]
    corners: Mapping[str, str]
    cameras: Mapping[str, str]
    scale: str
    focus: str
    mat: str
    found: str
    """How many of the mat's four markers."""
    fine: str
    coarse: str
    sharp: str
    soft: str
    unknown: str
    keep: Mapping[str, str]
    """The button that confirms, for each role of a person."""
    exchange: str
    close: str
    straight: str
    """Under the picture that is set straight."""
    confirmed: str
    lost: str


TABLES: Final = tables(SetupWords, "setup")
