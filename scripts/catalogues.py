"""Brings every language's catalogue up to the English one: `make catalogues`; with `--check` it only says what differs.

The English catalogue is the source. Babel carries the translations over, in its order, each under a comment with the
English sentence it was made from; one whose English sentence is another by now is marked fuzzy, and a name that is new
stands with nothing under it. Neither is used by a kiosk, and the tests name both.
"""

import argparse
import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields
from io import BytesIO
from pathlib import Path
from typing import Any, get_type_hints

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

from device.screen.catalogues import ENGLISH, Plural
from device.screen.sentences import Words
from device.screen.setup_words import SetupWords
from device.screen.waiting_words import WaitingWords

LOCALE = Path(__file__).resolve().parent.parent / "device" / "screen" / "locale"
RECORDS: Mapping[str, type] = {"kiosk": Words, "setup": SetupWords, "waiting": WaitingWords}


def main() -> int:
    """Write the catalogues anew, or with `--check` leave them and exit with 1 when one would be another."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--locale", type=Path, default=LOCALE, help="the folder of languages")
    asked = parser.parse_args()
    wrong: list[str] = []
    for domain, record in RECORDS.items():
        english_path = asked.locale / ENGLISH / "LC_MESSAGES" / f"{domain}.po"
        english = _read(english_path)
        _add_new(english, record)
        for path in sorted(asked.locale.glob(f"*/LC_MESSAGES/{domain}.po")):
            before = path.read_text(encoding="utf-8")
            found = english if path == english_path else _carried(_read(path), english)
            after = _head(before) + _text(found)
            wrong += _wrong(path.relative_to(asked.locale).as_posix(), found)
            if after == before:
                continue
            if asked.check:
                wrong.append(f"{path.relative_to(asked.locale)} is not up to date: make catalogues")
            else:
                path.write_text(after, encoding="utf-8")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parent.parent.name, abort_invalid=True)


def _add_new(english: Catalog, record: type) -> None:
    """A name that stands in the code and not in the catalogue gets a place in it."""
    for name, kind in get_type_hints(record).items():
        if kind in {str, Plural} and name not in {"language", "direction"} and name not in english:
            english.add((name, name) if kind is Plural else name)
    known = {one.name for one in fields(record)}
    for message in _messages(english):
        if _name(message).partition(".")[0] not in known:
            english.delete(_name(message))


def _carried(of: Catalog, english: Catalog) -> Catalog:
    """The language's own sentences under the names of the English ones, in their order."""
    found = Catalog(locale=of.locale)
    for message in _messages(english):
        own = of.get(_name(message))
        told = _forms(message)
        kept = own.string if own else ("", "") if message.pluralizable else ""
        flags = set(own.flags) if own else set()
        if own and _run_on(own.auto_comments) != _run_on(told) and any(_forms(own)):
            flags.add("fuzzy")
        comments = message.user_comments
        found.add(message.id, kept, flags=flags, auto_comments=told, user_comments=comments)
    return found


def _wrong(where: str, found: Catalog) -> Iterable[str]:
    for message in _messages(found):
        if message.fuzzy:
            yield f"{where}: the English sentence of {_name(message)!r} is another by now; say it anew, then unmark it"
        if not all(_forms(message)):
            yield f"{where}: {_name(message)!r} has no words"


def _messages(of: Catalog) -> list[Message]:
    return [one for one in of if one.id]


def _name(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _forms(message: Message) -> list[str]:
    said: Any = message.string
    return [said] if isinstance(said, str) else list(said or ("",))


def _run_on(lines: Iterable[str]) -> str:
    """Comments without what wrapping makes of them."""
    return "".join("".join(lines).split())


def _head(text: str) -> str:
    """The language's own head: Babel knows nothing of `X-Direction`."""
    return text[: text.index("\n\n") + 2]


def _text(found: Catalog) -> str:
    with BytesIO() as file:
        write_po(file, found, width=0, omit_header=True)
        return file.getvalue().decode("utf-8").strip("\n") + "\n"


if __name__ == "__main__":
    sys.exit(main())
