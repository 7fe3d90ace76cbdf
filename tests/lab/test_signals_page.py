"""The page of signals for campus IT is what the signal table gives, and leaves no signal out."""

import re
from pathlib import Path

import pytest

from lab.signals_page import PAGE, main, page
from wire.signal_table import SIGNALS


def test_the_page_is_what_the_table_gives() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_signal_has_a_place_of_its_own_with_all_its_words() -> None:
    entries = dict(re.findall(r"^### (\S+)\n(.*?)(?=\n##|\Z)", page(), re.MULTILINE | re.DOTALL))
    assert list(entries) == list(SIGNALS)
    for id_, row in SIGNALS.items():
        for words in (row.aide, row.therapist, row.it, row.true_when, row.remedy or "nothing"):
            assert words.replace("{camera}", "desk camera") in entries[id_]
        assert entries[id_].strip().startswith(f"| {row.severity.value}")


def test_a_page_that_is_no_longer_true_is_named(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    main(["-o", str(path)])
    main(["--check", "-o", str(path)])
    path.write_text(path.read_text().replace("blocked", "fine"))
    with pytest.raises(SystemExit, match=r"page\.md is not what wire/signal_table\.py gives"):
        main(["--check", "-o", str(path)])


def test_a_page_that_cannot_be_written_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["-o", "/proc/nowhere/page.md"])
    assert "/proc/nowhere/page.md cannot be written" in capsys.readouterr().err
