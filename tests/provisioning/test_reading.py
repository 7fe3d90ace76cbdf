"""What a spreadsheet does to a roster, and what is told of it."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.errors import RosterRefused
from provisioning.roster.checking import checked
from provisioning.roster.device import Device
from provisioning.roster.export import exported
from provisioning.roster.reading import rows

HEADER = "campus,kiosk,room,hostname,asset,serial,mac,network,address,gateway,dns"
GOOD = "lincoln,lincoln-01,Room 12,k-01,A-1,10000000abcdef01,2c:cf:67:00:00:01,,,,"


def found(raw: bytes) -> list[Device]:
    read, problems = rows("devices.csv", raw)
    return [*checked("devices.csv", read, problems, {"lincoln"}).values()]


def refused(raw: bytes) -> str:
    with pytest.raises(RosterRefused) as caught:
        found(raw)
    return str(caught.value)


def cell(column: str, value: str) -> bytes:
    """A roster of one row, in which one cell is another."""
    cells = dict(zip(HEADER.split(","), GOOD.split(","), strict=True)) | {column: value}
    quoted = ('"' + one.replace('"', '""') + '"' for one in cells.values())
    return f"{HEADER}\n{','.join(quoted)}\n".encode()


def test_c1_a_byte_order_mark_and_a_spreadsheets_line_ends_are_read() -> None:
    raw = "\ufeff" + f"{HEADER.title()}\r\n{GOOD}\r\n\r\n,,,,,,,,,,\r\n"
    assert [one.serial for one in found(raw.encode())] == ["10000000abcdef01"]


def test_mixed_lf_and_crlf_are_read_as_they_are() -> None:
    assert len(found(f"{HEADER}\r\n{GOOD}\n".encode())) == 1


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (f"{HEADER}\n{GOOD}\n".encode("utf-16"), "is UTF-16"),
        (f"{HEADER}\n{GOOD}\n".encode("utf-16-le"), "is UTF-16"),
        (f"{HEADER}\n{GOOD.replace('Room', 'Salón')}\n".encode("cp1252"),
         "line 2: byte 0xf3 is not UTF-8; read as Windows-1252 (“ANSI”) it would be 'ó'"),
        (f"{HEADER}\r\n{GOOD}\r{GOOD}\n".encode(), "line 2: lines end in CR and LF and CRLF"),
        (f"{HEADER}\r{GOOD}\r".encode(), "lines end in CR; save it"),
    ],
)  # fmt: skip
def test_c2_other_encodings_are_named(raw: bytes, words: str) -> None:
    assert words in refused(raw)


def test_c3_nul_is_named_with_its_line_and_column() -> None:
    assert "line 2, room: holds the invisible character U+0000" in refused(cell("room", "Ro\0om"))


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (f'{HEADER}\n{GOOD}\n"lincoln,lincoln-02\n{GOOD}\n'.encode(),
         'line 3: a cell that begins with " here never ends'),
        (cell("room", "x" * 131_073), "line 2: a cell is longer than 131,072 characters"),
        (f'{HEADER}\n"lincoln"x,lincoln-02\n'.encode(), "line 2: ',' expected after '\"'"),
    ],
)  # fmt: skip
def test_c4_what_is_no_csv_is_named_by_its_line(raw: bytes, words: str) -> None:
    assert words in refused(raw)


def test_c5_every_duplicate_is_listed_whatever_its_case() -> None:
    second = "lincoln,lincoln-02,Room 12,K-01,a-1,10000000ABCDEF01,2C-CF-67-00-00-01,,,,"
    told = refused(f"{HEADER}\n{GOOD}\n{second}\n{GOOD}\n".encode())
    assert "9 problems" in told
    for column in ("hostname", "asset", "serial", "mac"):
        assert told.count(f"{column}: ") == 2
    assert "line 3, serial: '10000000abcdef01' is already in line 2" in told
    assert "line 4, kiosk: 'lincoln-01' is already in line 2" in told


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("hostname", "\u0430-room", "U+0430 CYRILLIC SMALL LETTER A"),
        ("hostname", "ro\u2011om", "U+2011 NON-BREAKING HYPHEN"),
        ("hostname", "room\uff11", "U+FF11 FULLWIDTH DIGIT ONE"),
        ("hostname", "\u0130room", "U+0130 LATIN CAPITAL LETTER I WITH DOT ABOVE"),
        ("kiosk", "lincoln-\u0661", "U+0661 ARABIC-INDIC DIGIT ONE"),
        ("room", "\u202eRoom", "the invisible character U+202E"),
        ("room", "教室", "which no label can show"),
    ],
)
def test_c6_letters_that_only_look_alike_are_named(column: str, value: str, words: str) -> None:
    assert words in refused(cell(column, value))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("-x", "no dash at either end"),
        ("x" * 64, "is 64 characters long"),
        ("CON", "is reserved"),
        ("com1", "is reserved"),
        ("a..b", "no dot"),
        ("", "is empty"),
    ],
)
def test_c7_what_cannot_be_a_hosts_name_is_refused(value: str, words: str) -> None:
    assert "line 2, hostname: " in (told := refused(cell("hostname", value)))
    assert words in told


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("1E+15", "a spreadsheet has made a number of it"),
        ("1,00000E+15", "a spreadsheet has made a number of it"),
        ("abcdef01", "has 8 digits, a Raspberry Pi's serial has 16; zeros at the front are lost"),
        ("0x10000000abcdef", "is no Raspberry Pi's serial"),
    ],
)
def test_c9_serials_that_a_spreadsheet_spoilt_are_told_so(value: str, words: str) -> None:
    assert words in refused(cell("serial", value))


def test_c9_a_serial_that_looks_like_a_number_with_an_exponent_is_one() -> None:
    assert found(cell("serial", "10000000000001E5"))[0].serial == "10000000000001e5"


@pytest.mark.parametrize("value", ["nowhere", "../lincoln", "/etc", "Lincoln", ""])
def test_c10_a_campus_that_nobody_registered_is_refused(value: str) -> None:
    assert "line 2, campus: " in refused(cell("campus", value))


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (("10.0.0.5", "10.0.0.1", "10.0.0.1"), "write it as 10.20.0.31/22"),
        (("10.0.0.0/24", "10.0.0.1", "10.0.0.1"), "the network's own or its broadcast"),
        (("10.0.0.5/24", "10.0.1.1", "10.0.0.1"), "gateway: 10.0.1.1 is not in 10.0.0.0/24"),
        (("10.0.0.5/24", "10.0.0.5", "10.0.0.1"), "gateway: is the kiosk's own"),
        (("10.0.0.5/24", "10.0.0.1", ""), "dns: a fixed address needs its name servers"),
        (("", "10.0.0.1", ""), "gateway: only beside a fixed address"),
        (("127.0.0.1/8", "", "10.0.0.1"), "is not an address that a school's network gives"),
        (("10.0.0.5/24", "", "ns.example"), "dns: 'ns.example': is no IP address"),
    ],
)
def test_addresses_that_cannot_work_together_are_refused(cells: tuple[str, str, str], words: str) -> None:
    assert words in refused(f"{HEADER}\nlincoln,lincoln-01,Room,k-01,,,,,{','.join(cells)}\n".encode())


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "there is no header"),
        (b"campus,kiosk,romm\n", "column 3: 'romm' is unknown; did you mean 'room'?"),
        (b"campus;kiosk;room\nlincoln;lincoln-01;Gym\n", "not separated by commas"),
        (b"campus,kiosk,room,room\n", "column 4: 'room' is there twice"),
        (b"campus,kiosk\n", "there is no column 'room'"),
        (b"campus,kiosk,room\nlincoln,lincoln-01\n", "line 2: 2 cells under 3 columns"),
        (cell("mac", "01:00:5e:00:00:01"), "is a group's address"),
        (cell("mac", "2c:cf:67:00:00"), "is no hardware address"),
    ],
)
def test_headers_and_rows_that_do_not_fit_say_how(raw: bytes, words: str) -> None:
    assert words in refused(raw)


@given(st.binary(max_size=200))
def test_no_bytes_bring_the_reader_down(tail: bytes) -> None:
    for raw in (tail, f"{HEADER}\n".encode() + tail, f"{HEADER}\n{GOOD}\n".encode() + tail):
        with contextlib.suppress(RosterRefused):
            assert all(one.campus == "lincoln" for one in found(raw))


@given(st.text(st.characters(codec="cp1252", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=38))
def test_whatever_a_room_is_called_an_export_reads_in_the_same(room: str) -> None:
    try:
        one = found(cell("room", room))
    except RosterRefused:
        return
    assert found(exported(one).encode()) == one
