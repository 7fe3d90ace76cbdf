"""Reads a gettext catalogue as translators keep it, a `.po` file: no compiled one can be forgotten (ADR 0026).

The tests hold this reader against Babel's. What gettext would not use is not used here: entries marked fuzzy, obsolete
ones, and empty translations.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from gettext import c2py
from typing import Final

from device.errors import CatalogueUnreadable

_LINE: Final = re.compile(r'(?:(msgctxt|msgid_plural|msgid|msgstr(?:\[[0-9]\])?)\s*)?"((?:[^"\\]|\\.)*)"\s*')
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
_PLURAL_FORMS: Final = re.compile(r"nplurals\s*=\s*([1-9])\s*;\s*plural\s*=\s*([^;]+)")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The sentences of one language by their names, each with one form, or with as many as the language has plurals."""

    language: str
    direction: str
    """`ltr` or `rtl`."""
    sentences: Mapping[str, tuple[str, ...]]
    plural: Callable[[int], int]
    """Which form a number takes."""


@dataclass(slots=True)
class _Entry:
    parts: dict[str, str] = field(default_factory=dict)
    fuzzy: bool = False


def parse(text: str, where: str) -> Catalogue:
    """The catalogue in `text`; `where` names it in errors.

    Raises:
        CatalogueUnreadable: a line that is none, a name that stands twice, or a head that lacks something.
    """
    head: dict[str, str] = {}
    found: dict[str, tuple[str, ...]] = {}
    for line_no, entry in _entries(text, where):
        name, forms = _forms(entry)
        if name == "":
            head |= dict(line.split(": ", 1) for line in forms[0].splitlines() if ": " in line)
        elif name in found:
            raise CatalogueUnreadable(f"{where}, line {line_no}: {name!r} stands here a second time")
        elif not entry.fuzzy and all(forms):
            found[name] = forms
    direction, plural = head.get("X-Direction", ""), _PLURAL_FORMS.search(head.get("Plural-Forms", ""))
    if "Language" not in head or direction not in {"ltr", "rtl"} or plural is None:
        raise CatalogueUnreadable(f"{where}: its head needs Language, Plural-Forms, and X-Direction as ltr or rtl")
    try:
        which = c2py(plural[2])
    except ValueError as error:
        raise CatalogueUnreadable(f"{where}: Plural-Forms cannot be read: {error}") from error
    count = int(plural[1])
    for name, forms in found.items():
        if len(forms) not in {1, count}:
            raise CatalogueUnreadable(f"{where}: {name!r} has {len(forms)} forms, and the language {count}")
    return Catalogue(head["Language"], direction, found, which)


def _entries(text: str, where: str) -> Iterator[tuple[int, _Entry]]:
    """Each entry with the number of the line on which it begins; a comment or a new `msgid` ends the one before."""
    entry, part, began = _Entry(), "", 0
    for line_no, line in enumerate([*text.splitlines(), ""], 1):
        if not line.strip() or line.startswith("#"):
            if entry.parts:
                yield began, entry
                entry, part = _Entry(), ""
            entry.fuzzy |= line.startswith("#,") and "fuzzy" in line
            continue
        match = _LINE.fullmatch(line)
        if match is None or not (match[1] or part):
            raise CatalogueUnreadable(f"{where}, line {line_no}: this is no line of a catalogue: {line[:60]!r}")
        if match[1] in {"msgctxt", "msgid"} and any(one.startswith("msgstr") for one in entry.parts):
            yield began, entry
            entry = _Entry()
        began = began if entry.parts else line_no
        part = match[1] or part
        entry.parts[part] = entry.parts.get(part, "") + _unescaped(match[2])


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: _ESCAPED.get(found[1], found[0]), text)


def _forms(entry: _Entry) -> tuple[str, tuple[str, ...]]:
    parts = entry.parts
    forms = tuple(text for key, text in sorted(parts.items()) if key.startswith("msgstr"))
    return parts.get("msgid", ""), forms or ("",)
