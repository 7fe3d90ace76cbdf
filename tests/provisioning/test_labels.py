"""Labels, as a phone and a person read them from the printed sheet."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.labels.codes import code, number
from provisioning.labels.label import LAYOUTS
from tests.provisioning.conftest import Provision
from tests.provisioning.test_bundles import CAMPUS

MOST = 32**5 - 1
DPI = 300


@pytest.fixture
def labelled(tmp_path: Path, provision: Provision, capsys: pytest.CaptureFixture[str]) -> Path:
    rows = [f"lincoln,lincoln-{n:02},Salón {n} (é),A-{n:04}" for n in range(1, 32)]
    (tmp_path / "devices.csv").write_text("\n".join(["campus,kiosk,room,asset", *rows]), encoding="utf-8")
    (tmp_path / "lincoln.toml").write_text(CAMPUS)
    assert provision("roster", "apply", tmp_path / "devices.csv") == 0
    capsys.readouterr()
    return tmp_path


def printed(pdf: Path) -> list[tuple[npt.NDArray[np.uint8], str]]:
    """Each sheet in grey at 300 dots per inch, and its words."""
    document: Any = pypdfium2.PdfDocument(pdf)
    sheets = []
    for page in document:
        bitmap = page.render(scale=DPI / 72, grayscale=True)
        words = page.get_textpage()
        sheets.append((np.array(bitmap.to_numpy()).reshape(bitmap.height, bitmap.width), words.get_text_bounded()))
        words.close()
        page.close()
    document.close()
    return sheets


def label_at(sheet: npt.NDArray[np.uint8], paper: str, at: int) -> npt.NDArray[np.uint8]:
    layout, px = LAYOUTS[paper], DPI / 25.4
    left = layout.corner[0] + at % layout.columns * layout.pitch[0]
    top = layout.corner[1] + at // layout.columns * layout.pitch[1]
    edges = (top, top + layout.label[1], left, left + layout.label[0])
    up, down, west, east = (round(edge * px) for edge in edges)
    return sheet[up:down, west:east]


def scanned(picture: npt.NDArray[np.uint8]) -> str:
    return str(cv2.QRCodeDetector().detectAndDecode(picture)[0])


@pytest.mark.parametrize("paper", ["letter", "a4"])
def test_every_label_is_in_its_place_and_says_the_same_to_a_phone_and_to_a_person(
    labelled: Path, provision: Provision, capsys: pytest.CaptureFixture[str], paper: str
) -> None:
    pdf = labelled / "labels.pdf"
    assert provision("labels", labelled / "lincoln.toml", "-o", pdf, "--paper", paper) == 0
    assert "31 labels on 2 sheets" in capsys.readouterr().out
    sheets = printed(pdf)
    each = LAYOUTS[paper].each
    for at in range(31):
        picture = label_at(sheets[at // each][0], paper, at % each)
        assert scanned(picture) == f"https://fleet.district.example/claims#lincoln-{at + 1:02}"
    words = "".join(text for _, text in sheets)
    for n in (1, 31):
        assert f"Salón {n} (é)" in words
        assert f"A-{n:04}" in words
        assert code(n) in words
    outside = sheets[0][0].copy()
    for at in range(each):
        label_at(outside, paper, at)[:] = 255
    assert outside.min() == 255


def test_a_sheet_already_begun_is_gone_on_with(labelled: Path, provision: Provision) -> None:
    pdf = labelled / "labels.pdf"
    assert provision("labels", labelled / "lincoln.toml", "-o", pdf, "--skip", "4", "--kiosk", "lincoln-07") == 0
    ((sheet, _),) = printed(pdf)
    assert label_at(sheet, "letter", 3).min() == 255
    assert scanned(label_at(sheet, "letter", 4)).endswith("#lincoln-07")


def test_printed_twice_it_is_the_same_file_and_holds_no_secret(labelled: Path, provision: Provision) -> None:
    files = [labelled / "one.pdf", labelled / "two.pdf"]
    for file in files:
        assert provision("labels", labelled / "lincoln.toml", "-o", file) == 0
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--skip", "30"), "a sheet has 30 labels"),
        (("--kiosk", "lincoln-99"), "lincoln has no kiosk 'lincoln-99'"),
        (("-o", "/nowhere/labels.pdf"), "/nowhere/labels.pdf: cannot be written"),
    ],
)
def test_what_cannot_be_printed_is_told(
    labelled: Path, provision: Provision, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], words: str
) -> None:
    assert provision("labels", labelled / "lincoln.toml", "-o", labelled / "labels.pdf", *more) == 1
    assert words in capsys.readouterr().err


@given(st.integers(1, MOST))
def test_a_code_leads_back_to_its_kiosk_however_it_is_typed(one: int) -> None:
    told = code(one)
    assert number(told) == one
    assert number(told.lower().replace("-", " ").replace("0", "o").replace("1", "l")) == one


@given(st.integers(1, MOST), st.integers(0, 4), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_one_wrong_letter_is_noticed(one: int, at: int, letter: str) -> None:
    told = code(one)
    if told[at] == letter:
        return
    with pytest.raises(ValueError, match="a letter is wrong"):
        number(told[:at] + letter + told[at + 1 :])


@pytest.mark.parametrize("text", ["", "ABCDE", "ABCDE-FG", "ABÇDE-F", "UUUUU-0"])
def test_what_is_no_code_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="is no kiosk's code; it looks like"):
        number(text)


@pytest.mark.parametrize("one", [0, MOST + 1])
def test_there_are_codes_for_33_million_kiosks(one: int) -> None:
    with pytest.raises(ValueError, match="there is no code"):
        code(one)
