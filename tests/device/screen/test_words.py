"""The page's sentences: whole in both languages, with the same placeholders, each of them used."""

from dataclasses import fields
from importlib.resources import files
from string import Formatter

import pytest

from device.kit import kit
from device.screen.model import Labels
from device.screen.sentences import Words
from device.screen.signal_words import CALM, signal_words
from device.screen.words import TABLES, words_in
from device.session import limits
from wire.signal_table import SIGNALS, words

EN, ES = words_in("en"), words_in("es")
NAMES = [one.name for one in fields(Words) if one.type is str]
SOURCES = "".join(
    one.read_text(encoding="utf-8")
    for one in files("device.screen").iterdir()
    if one.name.endswith(".py") and one.name not in {"sentences.py", "words_en.py", "words_es.py"}
)


def placeholders(sentence: str) -> set[str]:
    return {name.lower() for _, name, _, _ in Formatter().parse(sentence) if name}


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_say_it_with_the_same_placeholders(name: str) -> None:
    english, spanish = getattr(EN, name), getattr(ES, name)
    assert english.strip()
    assert spanish.strip()
    assert placeholders(english) == placeholders(spanish)


@pytest.mark.parametrize("name", NAMES)
def test_every_sentence_stands_somewhere(name: str) -> None:
    assert f".{name}" in SOURCES or name in Labels.model_fields


def test_a_week_and_the_reasons_are_whole() -> None:
    for table in TABLES.values():
        assert len(table.days) == 7
        assert set(table.reasons) == set(limits.REASONS)


def test_every_card_of_the_kit_is_called_by_its_picture() -> None:
    for table in TABLES.values():
        assert list(table.cards) == list(kit().cards.names.values())
        assert all(table.cards.values())


def test_a_language_nobody_knows_reads_as_english() -> None:
    assert words_in("fr") is EN


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("role", ["overhead", "front"])
def test_every_signal_has_its_words(name: str, role: str) -> None:
    english, spanish = signal_words("en", EN, name, role), signal_words("es", ES, name, role)
    assert english.do == words(name, role, "aide"), "the page says what the fleet believes it says"
    for said in (english, spanish):
        assert said.headline
        assert said.do
        assert "{" not in said.headline + said.do
    assert spanish.do != english.do
    assert (english.headline == EN.you_can_start) == (name in CALM)


def test_what_nobody_in_the_room_can_help_is_calm() -> None:
    assert {"camera.slow", "clock.unset", "link.down", "storage.low"} <= CALM
    assert not CALM & {"camera.covered", "link.filtered", "storage.readonly", "button.stuck", "lamp.mismatch"}


def test_a_signal_of_a_later_release_is_called_by_its_id() -> None:
    said = signal_words("es", ES, "coffee.cold", None)
    assert (said.headline, said.do) == (ES.something_wrong, "coffee.cold")
