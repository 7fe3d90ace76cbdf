"""The page's sentences: whole in every language, with the same placeholders, each of them used."""

from dataclasses import fields
from importlib.resources import files
from string import Formatter
from typing import get_type_hints

import pytest
from babel import Locale

from device.aim import Advice, Stage
from device.kit import kit
from device.screen.catalogues import Plural, catalogue, languages
from device.screen.model import Labels
from device.screen.scene import DAYS
from device.screen.sentences import Words
from device.screen.setup_words import SetupWords
from device.screen.signal_words import CALM, signal_words
from device.screen.waiting_words import WaitingWords
from device.screen.words import TABLES, words_in
from device.session import whys
from wire.signal_table import SIGNALS, words

EN, ES = words_in("en"), words_in("es")
RECORDS: dict[str, type] = {"kiosk": Words, "setup": SetupWords, "waiting": WaitingWords}
KEYS: dict[str, dict[str, set[str]]] = {
    "kiosk": {
        "days": set(DAYS),
        "cards": set(kit().cards.names.values()),
        "reasons": set(whys.REASONS),
        "roles": {"point-person", "office", "therapist", "it", "aide", "somebody"},
        "signal": set(SIGNALS) - CALM,
        "do": set(SIGNALS),
    },
    "setup": {
        "stage_title": set(Stage),
        "stage_do": set(Stage),
        "advice_title": set(Advice),
        "advice_do": set(Advice),
        "corners": {"upper-left", "upper-right", "lower-right", "lower-left"},
        "cameras": {"overhead", "front"},
        "keep": {"it", "aide"},
    },
    "waiting": {"title": {"no-settings", "bad-settings"}, "do": {"no-settings", "bad-settings"}},
}
"""What each mapping of a record has to have words for."""
SOURCES = "".join(
    one.read_text(encoding="utf-8")
    for one in files("device.screen").iterdir()
    if one.name.endswith(".py") and one.name not in {"sentences.py", "setup_words.py", "waiting_words.py"}
)
NAMES = [one.name for one in fields(Words) if one.name not in {"language", "direction"}]
SENTENCES = [(domain, name) for domain in RECORDS for name in catalogue(domain, "en").sentences]


def placeholders(sentence: str) -> set[str]:
    return {name.lower() for _, name, _, _ in Formatter().parse(sentence) if name}


def expected(domain: str) -> dict[str, bool]:
    """Every name that a catalogue has to have, and whether it stands there in plural forms."""
    found: dict[str, bool] = {}
    for name, kind in get_type_hints(RECORDS[domain]).items():
        if name in KEYS[domain]:
            found |= dict.fromkeys((f"{name}.{key}" for key in KEYS[domain][name]), False)
        elif name not in {"language", "direction"}:
            found[name] = kind is Plural
    return found


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("domain", RECORDS)
def test_a_catalogue_has_every_sentence_and_no_other(domain: str, language: str) -> None:
    found = catalogue(domain, language)
    assert set(found.sentences) == set(expected(domain))
    plurals = {found.plural(n) for n in range(1_000)}
    for name, is_plural in expected(domain).items():
        assert len(found.sentences[name]) == (len(plurals) if is_plural else 1), name


@pytest.mark.parametrize("language", [one for one in languages() if one != "en"])
@pytest.mark.parametrize(("domain", "name"), SENTENCES)
def test_every_language_says_it_with_the_same_placeholders(domain: str, name: str, language: str) -> None:
    english, other = catalogue(domain, "en").sentences[name], catalogue(domain, language).sentences[name]
    for form in other:
        assert form.strip()
        assert placeholders(form) == placeholders(english[-1])


@pytest.mark.parametrize("language", languages())
def test_a_catalogue_says_of_itself_what_babel_knows_of_its_language(language: str) -> None:
    known = Locale.parse(language)
    for domain in RECORDS:
        found = catalogue(domain, language)
        assert (found.language, found.direction) == (language, known.text_direction)
    assert TABLES[language].language_name.lower() == (known.get_display_name(language) or "").lower()


@pytest.mark.parametrize("name", NAMES)
def test_every_sentence_stands_somewhere(name: str) -> None:
    assert f".{name}" in SOURCES or name in Labels.model_fields


def test_a_number_takes_its_form() -> None:
    assert [EN.minutes(n) for n in (0, 1, 8)] == ["0 minutes", "1 minute", "8 minutes"]
    assert [ES.minutes(n) for n in (0, 1, 8)] == ["0 minutos", "1 minuto", "8 minutos"]


def test_a_language_nobody_knows_reads_as_english() -> None:
    assert words_in("fr") is EN


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("role", ["overhead", "front"])
def test_every_signal_has_its_words(name: str, role: str) -> None:
    english, spanish = signal_words(EN, name, role), signal_words(ES, name, role)
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
    said = signal_words(ES, "coffee.cold", None)
    assert (said.headline, said.do) == (ES.something_wrong, "coffee.cold")
