"""The catalogues' reader, held against Babel's; what a catalogue may lack; and the tool that keeps them together."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path
from shutil import copytree

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from hypothesis import given
from hypothesis import strategies as st

from device.errors import CatalogueUnreadable
from device.screen.catalogues import LOCALE, catalogue, languages, tables
from device.screen.po import parse
from device.screen.sentences import Words

TOP = Path(__file__).resolve().parents[3]
HEAD = (
    'msgid ""\nmsgstr ""\n"Language: en\\n"\n"X-Direction: ltr\\n"\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], include_characters='\n\t"\\'), min_size=1)


def forms_of(read: Catalog) -> dict[str, tuple[str, ...]]:
    """What Babel has read, by name."""
    found = {}
    for one in read:
        if one.id:
            said = one.string
            name = one.id if isinstance(one.id, str) else one.id[0]
            found[name] = (said,) if isinstance(said, str) else tuple(said or ())
    return found


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("domain", ["kiosk", "setup", "waiting"])
def test_babel_reads_the_same_in_every_catalogue(domain: str, language: str) -> None:
    text = (LOCALE / language / "LC_MESSAGES" / f"{domain}.po").read_text(encoding="utf-8")
    read = read_po(BytesIO(text.encode()), locale=language, abort_invalid=True)
    assert [error for one in read for error in one.check()] == []
    ours = catalogue(domain, language)
    assert ours.sentences == forms_of(read)
    assert read.num_plurals == len({ours.plural(n) for n in range(1_000)})


@given(st.dictionaries(TEXT, st.one_of(TEXT, st.tuples(TEXT, TEXT))), st.sampled_from([0, 20, 76]))
def test_whatever_babel_writes_is_read_as_babel_reads_it(
    sentences: dict[str, str | tuple[str, str]], width: int
) -> None:
    written = Catalog(locale="en")
    for name, said in sentences.items():
        written.add(name if isinstance(said, str) else (name, name), said)
    with BytesIO() as file:
        write_po(file, written, width=width, omit_header=True)
        text = file.getvalue().decode()
    ours = parse(HEAD + text, "written").sentences
    assert ours == forms_of(read_po(BytesIO(text.encode()), locale="en", abort_invalid=True))
    if width == 0:  # Babel adds a line's end to some of what it wraps
        assert ours == {name: (said,) if isinstance(said, str) else said for name, said in sentences.items()}


def test_what_gettext_would_not_use_is_not_used() -> None:
    text = (
        '#, fuzzy\nmsgid "a"\nmsgstr "A"\n\n#~ msgid "b"\n#~ msgstr "B"\n\n'
        'msgid "c"\nmsgstr ""\n\nmsgid "d"\nmsgstr "D"\n'
    )
    assert parse(HEAD + text, "here").sentences == {"d": ("D",)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + "msgid without quotes\n", "here, line 7: this is no line of a catalogue: 'msgid without quotes'"),
        (HEAD + '"nobody said whose"\n', "here, line 7: this is no line"),
        (HEAD + 'msgid "a"\nmsgstr "A"\n\nmsgid "a"\nmsgstr "B"\n', "here, line 10: 'a' stands here a second time"),
        (HEAD + 'msgid "a"\nmsgid_plural "a"\n' + "".join(f'msgstr[{n}] "x"\n' for n in range(3)), "'a' has 3 forms"),
        (HEAD.replace("ltr", "up"), "its head needs Language, Plural-Forms, and X-Direction as ltr or rtl"),
        (HEAD.replace("(n != 1)", "n +"), "here: Plural-Forms cannot be read"),
        ("", "its head needs"),
    ],
)
def test_what_is_no_catalogue_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(CatalogueUnreadable, match=r"^here") as found:
        parse(text, "here")
    assert said in str(found.value)


def test_a_sentence_that_a_language_lacks_is_said_in_english(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "es" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    head = HEAD.replace("Language: en", "Language: es")
    (folder / "kiosk.po").write_text(head + 'msgid "ready"\nmsgstr "Listo"\n', encoding="utf-8")
    found = tables(Words, "kiosk", tmp_path)["es"]
    assert (found.ready, found.paused, found.minutes(1), found.days["monday"]) == (
        "Listo",
        "Paused",
        "1 minute",
        "Monday",
    )
    assert "es has no words for" in caplog.text


class TestTheTool:
    """`make catalogues` on a copy."""

    def run(self, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "scripts/catalogues.py", "--locale", str(folder), *more],
            cwd=TOP, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def copy(self, folder: Path) -> Path:
        copytree(str(LOCALE), folder / "locale")
        return folder / "locale"

    def test_ours_are_up_to_date(self) -> None:
        found = self.run(Path(str(LOCALE)), "--check")
        assert (found.returncode, found.stderr) == (0, "")

    def test_another_english_sentence_asks_for_another_translation(self, tmp_path: Path) -> None:
        folder = self.copy(tmp_path)
        english, spanish = (folder / name / "LC_MESSAGES" / "kiosk.po" for name in ("en", "es"))
        english.write_text(english.read_text().replace('msgstr "Checking"', 'msgstr "Having a look"'))
        found = self.run(folder)
        assert found.returncode == 1
        assert "es/LC_MESSAGES/kiosk.po: the English sentence of 'checking' is another by now" in found.stderr
        assert '#. Having a look\n#, fuzzy\nmsgid "checking"\nmsgstr "Comprobando"\n' in spanish.read_text()

    def test_a_sentence_that_is_new_or_gone_is_carried_over(self, tmp_path: Path) -> None:
        folder = self.copy(tmp_path)
        english, spanish = (folder / name / "LC_MESSAGES" / "kiosk.po" for name in ("en", "es"))
        english.write_text(
            english.read_text().replace('msgid "ready"\nmsgstr "Ready"\n', "").replace('"signal.audio', '"signal.tea')
        )
        found = self.run(folder)
        assert "en/LC_MESSAGES/kiosk.po: 'ready' has no words" in found.stderr, "the code has it"
        assert "es/LC_MESSAGES/kiosk.po: 'signal.tea.missing' has no words" in found.stderr
        assert "signal.audio" not in spanish.read_text()
