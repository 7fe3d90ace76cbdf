"""Fills typed records of sentences from the catalogues in `locale/`: a folder there is a language of the kiosk.

`name` in a catalogue is the record's field `name`; `name.key` is an entry of its mapping `name`.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any, Final, TypeVar, get_type_hints

from device.screen.po import Catalogue, parse

_log = logging.getLogger(__name__)

ENGLISH: Final = "en"
LOCALE: Final = files("device.screen").joinpath("locale")
_GIVEN: Final = ("language", "direction")
"""Fields that the catalogue's head fills."""

Table = TypeVar("Table")


@dataclass(frozen=True, slots=True)
class Plural:
    """A sentence about a number, in as many forms as its language has."""

    forms: tuple[str, ...]
    which: Callable[[int], int]

    def __call__(self, count: int) -> str:
        """`1 minute`, `8 minutes`."""
        return self.forms[self.which(count)].format(n=count)


def languages(locale: Traversable = LOCALE) -> tuple[str, ...]:
    """The languages there are, English first."""
    found = [one.name for one in locale.iterdir() if one.joinpath("LC_MESSAGES").is_dir()]
    return tuple(sorted(found, key=lambda name: (name != ENGLISH, name)))


def catalogue(domain: str, language: str, locale: Traversable = LOCALE) -> Catalogue:
    """What the file of a language says; raises `CatalogueUnreadable`."""
    path = locale.joinpath(language, "LC_MESSAGES", f"{domain}.po")
    return parse(path.read_text(encoding="utf-8"), f"{language}/{domain}.po")


def tables(record: type[Table], domain: str, locale: Traversable = LOCALE) -> dict[str, Table]:
    """A `record` for each language; what a language does not say is said in English.

    Raises:
        CatalogueUnreadable: a file is no catalogue.
    """
    english = catalogue(domain, ENGLISH)
    return {name: filled(record, catalogue(domain, name, locale), english) for name in languages(locale)}


def filled(record: type[Table], said: Catalogue, english: Catalogue) -> Table:
    """A `record` with the sentences of `said`."""
    missing = english.sentences.keys() - said.sentences.keys()
    if missing:
        _log.warning("%s has no words for %s; they are said in English", said.language, ", ".join(sorted(missing)))
    hints, found = get_type_hints(record), dict[str, Any]()
    for one in fields(record):  # type: ignore[arg-type]  # every record here is a dataclass
        kind = hints[one.name]
        if one.name in _GIVEN:
            found[one.name] = getattr(said, one.name)
        elif kind is str:
            found[one.name] = (said if one.name in said.sentences else english).sentences[one.name][0]
        elif kind is Plural:
            of = said if one.name in said.sentences else english
            found[one.name] = Plural(of.sentences[one.name], of.plural)
        else:
            assert one.default is MISSING
            found[one.name] = MappingProxyType(_entries(one.name, english) | _entries(one.name, said))
    return record(**found)


def _entries(name: str, of: Catalogue) -> dict[str, str]:
    head = f"{name}."
    said: Mapping[str, tuple[str, ...]] = of.sentences
    return {key.removeprefix(head): forms[0] for key, forms in said.items() if key.startswith(head)}
