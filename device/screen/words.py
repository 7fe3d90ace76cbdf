"""The page's words: one table for each language, and which table a language has."""

from typing import Final

from device.screen.sentences import Words
from device.screen.words_en import EN
from device.screen.words_es import ES

TABLES: Final = {"en": EN, "es": ES}
"""Every language the page can speak."""


def words_in(language: str) -> Words:
    """The sentences in `language`; English where it is not known."""
    return TABLES.get(language, EN)
