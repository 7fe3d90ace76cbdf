"""A CSV file as rows of texts by column: what spreadsheets do to files is told by its name, not guessed away."""

import csv
import difflib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fleet.errors import BadRows, RowFault

MOST_BYTES: Final = 4 * 1024 * 1024
MOST_ROWS: Final = 20_000
_DELIMITERS: Final = ",;\t"
_SAVE: Final = 'save it as "CSV UTF-8 (comma delimited)"'
_BOMS: Final = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_MOST_SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class Line:
    """One row: the line on which it begins, and its values by column, stripped of spaces around them."""

    number: int
    values: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        """The value, empty where the file has no such column."""
        return self.values.get(column, "")


def text_of(data: bytes) -> str:
    """The file's text.

    Raises:
        BadRows: it is too large, empty, or in another encoding than UTF-8; the message names it.
    """
    if len(data) > MOST_BYTES:
        raise BadRows([RowFault(f"{len(data)} bytes, more than the {MOST_BYTES} allowed: split the file")])
    found = _BOMS.get(data[:2]) or ("UTF-16 without its mark" if _looks_like_utf16(data) else None)
    if found:
        raise BadRows([RowFault(f'the file is {found}, as "Unicode text" of a spreadsheet is: {_SAVE}', 1)])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = f"0x{data[error.start]:02x}"
        words = f'the file is not UTF-8 (byte {byte}), most likely Windows-1252, as plain "CSV" of a spreadsheet is'
        raise BadRows([RowFault(f"{words}: {_SAVE}", line)]) from error


def lines_of(
    data: bytes, required: Sequence[str], optional: Sequence[str] = (), aliases: Mapping[str, str] | None = None
) -> list[Line]:
    """The rows of a CSV file with a header.

    Args:
        data: as it came.
        required: columns that the header has to name.
        optional: further columns that it may name; others are refused with the name that was probably meant.
        aliases: other names for some of them.

    Raises:
        BadRows: it is no such file; every fault of its form is named.
    """
    text = text_of(data)
    faults = [
        RowFault("holds a NUL character, which no text has", number)
        for number, line in enumerate(text.split("\n"), 1)
        if "\0" in line
    ]
    if faults:
        raise BadRows(faults)
    rows = _rows(text)
    try:
        number, header = next(rows, (1, []))
        if header and header[0].lower().startswith("sep=") and not any(header[1:]):  # a spreadsheet's own first line
            number, header = next(rows, (1, []))
        columns = _columns(header, number, required, optional, aliases or {})
        found: list[Line] = []
        for at, row in rows:
            if not any(row):
                continue
            if any(row[len(columns) :]):
                few = f"has {len(row)} values where the header names {len(columns)}"
                faults.append(RowFault(f"{few}: put a value with a comma in it between quotes", at))
            found.append(Line(at, dict(zip(columns, row, strict=False))))
            if len(found) > MOST_ROWS:
                raise BadRows([RowFault(f"more than {MOST_ROWS} rows: split the file", at)])
    except _Broken as error:
        raise BadRows([*faults, error.fault]) from error
    if faults:
        raise BadRows(faults)
    if not found:
        raise BadRows([RowFault("holds no row below its header", number)])
    return found


class _Broken(Exception):
    def __init__(self, fault: RowFault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The line on which each row begins, and its values."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    begins = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            what = "a quote is opened and never closed" if "end of data" in str(error) else str(error)
            raise _Broken(RowFault(f"cannot be read as CSV: {what}", begins)) from error
        yield begins, [value.strip() for value in row]
        begins = reader.line_num + 1


def _columns(
    header: Sequence[str], line: int, required: Sequence[str], optional: Sequence[str], aliases: Mapping[str, str]
) -> list[str]:
    names = [aliases.get(name, name) for name in (one.strip().lower().replace(" ", "_") for one in header)]
    while names and not names[-1]:
        names.pop()
    known = (*required, *optional)
    faults = [
        RowFault(f"the header has no column {name!r}; it has to name {','.join(required)}", line, name)
        for name in required
        if name not in names
    ]
    for number, name in enumerate(names):
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            shown = name[:_MOST_SHOWN] or f"number {number + 1}"
            hint = f"; is {near[0]!r} meant?" if near else f"; there are {', '.join(known)}"
            faults.append(RowFault(f"there is no column {shown!r}{hint}", line, shown))
        elif name in names[:number]:
            faults.append(RowFault("stands twice in the header", line, name))
    if faults:
        raise BadRows(faults)
    return names


def _delimiter(text: str) -> str:
    first = text.lstrip("\r\n").split("\n", 1)[0]
    if first.lower().startswith("sep=") and len(first.rstrip()) == 5:
        return first.rstrip()[-1]
    return max(_DELIMITERS, key=first.count)


def _looks_like_utf16(data: bytes) -> bool:
    head = data[:400]
    return len(head) > 20 and (head[::2].count(0) > len(head) // 3 or head[1::2].count(0) > len(head) // 3)
