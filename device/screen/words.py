"""The page's words: one table for each language that has a catalogue."""

from typing import Final

from device.screen.catalogues import ENGLISH, tables
from device.screen.sentences import Words

TABLES: Final = tables(Words, "kiosk")
"""Every language the page can speak, English first."""


def words_in(language: str) -> Words:
    """The sentences in `language`; English where it is not known."""
    return TABLES.get(language, TABLES[ENGLISH])
