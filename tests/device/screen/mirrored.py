"""A language nobody speaks, written from right to left, in three plural forms: the English one in Hebrew letters."""

import re
from pathlib import Path
from typing import Final

from device.screen.catalogues import catalogue, tables
from device.screen.sentences import Words

NAME: Final = "he"
_LETTERS: Final = str.maketrans(
    "abcdefghijklmnopqrstuvwxyz", "אבגדהופגהיקלמנופקרסתוושזיצ"
)  # not a transliteration that anybody would use: only the direction counts
_HEAD: Final = (
    'msgid ""\nmsgstr ""\n"Language: he\\n"\n"X-Direction: rtl\\n"\n'
    '"Plural-Forms: nplurals=3; plural=(n == 1 ? 0 : n == 2 ? 1 : 2);\\n"\n\n'
)


def mirrored(folder: Path) -> Words:
    """The words of that language, read from a catalogue that is written into `folder`."""
    path = folder / NAME / "LC_MESSAGES" / "kiosk.po"
    path.parent.mkdir(parents=True)
    path.write_text(_HEAD + "\n".join(_entries()), encoding="utf-8")
    return tables(Words, "kiosk", folder)[NAME]


def _entries() -> list[str]:
    found = []
    for name, forms in catalogue("kiosk", "en").sentences.items():
        if len(forms) == 1:
            found.append(f'msgid "{name}"\nmsgstr "{_turned(forms[0])}"\n')
        else:
            said = "".join(f'msgstr[{n}] "{_turned(forms[n > 0])}"\n' for n in range(3))
            found.append(f'msgid "{name}"\nmsgid_plural "{name}"\n{said}')
    return found


def _turned(sentence: str) -> str:
    parts = re.split(r"(\{\w+\})", sentence)
    turned = "".join(one if one.startswith("{") else one.lower().translate(_LETTERS) for one in parts)
    return turned.replace("\\", "\\\\").replace('"', '\\"')
