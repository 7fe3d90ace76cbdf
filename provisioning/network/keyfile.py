"""A keyfile of NetworkManager (nm-settings-keyfile(5)), which is a GLib key file."""

import configparser
import io
from collections.abc import Mapping
from typing import Final

from provisioning.errors import NetworkRefused

Sections = Mapping[str, Mapping[str, str]]
"""By section and key; values as NetworkManager is to see them, not yet escaped."""

_ESCAPES: Final = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def keyfile(sections: Sections) -> str:
    """The file's text. Escaped as GLib reads it, so that no value can end its line or begin another section.

    Raises:
        NetworkRefused: a value holds NUL, which no key file can.
    """
    parser = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",), default_section="")
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    for section, values in sections.items():
        parser[section] = {key: _escaped(value) for key, value in values.items()}
    text = io.StringIO(newline="")
    parser.write(text, space_around_delimiters=False)
    return text.getvalue()


def bytes_list(raw: bytes) -> str:
    """Bytes as NetworkManager writes what need not be text, such as an SSID."""
    return "".join(f"{byte};" for byte in raw)


def _escaped(value: str) -> str:
    r"""As g_key_file_set_string does, and blanks at the end as well: each that could be taken for layout is `\s`."""
    if "\0" in value:
        raise NetworkRefused("a value of the network holds NUL; type it anew")
    bare = value.strip(" ")
    before = len(value) - len(value.lstrip(" "))
    after = len(value) - before - len(bare)
    return "\\s" * before + "".join(_ESCAPES.get(letter, letter) for letter in bare) + "\\s" * after
