"""A roster's bytes, as lines and cells. What a spreadsheet does to a CSV file is told in words, not guessed around."""

import codecs
import csv
import difflib
import io
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provisioning.errors import Problem, RosterRefused
from provisioning.roster.device import COLUMNS, NEEDED

MOST_BYTES: Final = 32 * 1024 * 1024
"""A hundred thousand kiosks take a third of it."""

_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SAVE_AS: Final = "save it as “CSV UTF-8 (comma delimited)”"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the roster; `line` is where it begins in the file, counted from 1."""

    line: int
    cells: Mapping[str, str]


def read(path: Path) -> tuple[list[Row], list[Problem]]:
    """The rows of the roster at `path`, and the lines that are not rows.

    Raises:
        RosterRefused: the file cannot be read at all, is not UTF-8, or its header does not say what its columns are.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise RosterRefused(str(path), [Problem(0, "", f"cannot be read: {error.strerror or error}")]) from error
    return rows(str(path), raw)


def rows(name: str, raw: bytes) -> tuple[list[Row], list[Problem]]:
    """The same for a file's bytes; `name` is what errors call it."""
    try:
        text = _text(raw)
    except _Unreadable as error:
        raise RosterRefused(name, [Problem(error.line, "", str(error))]) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    found: list[Row] = []
    problems: list[Problem] = []
    columns: list[str] = []
    begins = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            problems.append(Problem(begins, "", f"{_in_words(error)}; nothing after it was read"))
            break
        line, begins = begins, reader.line_num + 1
        cells = [_unescaped(cell.strip()) for cell in cells]
        if not any(cells):
            continue
        if not columns:
            columns = _header(name, line, cells)
        elif len(cells) != len(columns):
            problems.append(Problem(line, "", f"{len(cells)} cells under {len(columns)} columns"))
        elif odd := _control(columns, cells):
            problems.append(Problem(line, *odd))
        else:
            found.append(Row(line, dict(zip(columns, cells, strict=True))))
    if not columns and not problems:
        problems.append(Problem(1, "", f"there is no header; the first line names the columns: {','.join(COLUMNS)}"))
    return found, problems


class _Unreadable(ValueError):
    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


def _text(raw: bytes) -> str:
    if len(raw) > MOST_BYTES:
        raise _Unreadable(f"is larger than {MOST_BYTES // 1024 // 1024} MiB; that is no roster")
    if raw.startswith(_UTF16) or (len(raw) > 3 and raw[1:4:2] == b"\0\0"):
        raise _Unreadable(f"is UTF-16 (“Unicode text”); {_SAVE_AS}")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        try:
            seen = (
                f"; read as Windows-1252 (“ANSI”) it would be {raw[error.start : error.start + 1].decode('cp1252')!r}"
            )
        except UnicodeDecodeError:
            seen = ""
        raise _Unreadable(f"byte 0x{raw[error.start]:02x} is not UTF-8{seen}; {_SAVE_AS}", line) from error
    bare = text.replace("\r\n", "\n")
    if "\r" in bare:
        kinds = [
            kind
            for kind, has in (("CR", True), ("LF", "\n" in text.replace("\r\n", "")), ("CRLF", "\r\n" in text))
            if has
        ]
        line = bare.count("\n", 0, bare.index("\r")) + 1
        raise _Unreadable(f"lines end in {' and '.join(kinds)}; save it with one kind of line end, LF or CRLF", line)
    return text


def _header(name: str, line: int, cells: list[str]) -> list[str]:
    columns = [cell.lower() for cell in cells]
    if len(columns) == 1 and any(other in columns[0] for other in ";\t"):
        raise RosterRefused(name, [Problem(line, "", f"the columns are not separated by commas; {_SAVE_AS}")])
    problems = []
    for number, column in enumerate(columns):
        if column not in COLUMNS:
            near = difflib.get_close_matches(column, COLUMNS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(COLUMNS)}"
            problems.append(Problem(line, f"column {number + 1}", f"{column!a:.60} is unknown; {hint}"))
        elif column in columns[:number]:
            problems.append(Problem(line, f"column {number + 1}", f"{column!r} is there twice"))
    problems += [Problem(line, "", f"there is no column {one!r}") for one in NEEDED if one not in columns]
    if problems:
        raise RosterRefused(name, problems)
    return columns


def _control(columns: list[str], cells: list[str]) -> tuple[str, str] | None:
    """The first cell that holds what no one can see: NUL, line ends, direction marks."""
    for column, cell in zip(columns, cells, strict=True):
        odd = "" if cell.isprintable() else next((one for one in cell if unicodedata.category(one)[0] == "C"), "")
        if odd:
            return column, f"holds the invisible character U+{ord(odd):04X}; type the cell anew"
    return None


def _unescaped(cell: str) -> str:
    """A cell as it was before `export.escaped` made it harmless to a spreadsheet."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in ("=", "+", "-", "@") and cell[1:2] else cell


def _in_words(error: csv.Error) -> str:
    told = str(error)
    if "unexpected end of data" in told:
        return 'a cell that begins with " here never ends with one'
    if "field larger" in told:
        return 'a cell is longer than 131,072 characters; a " may be missing'
    return told
