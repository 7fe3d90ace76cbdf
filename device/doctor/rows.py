"""What the doctor says: rows, and whether the kiosk may stay as it is."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from textwrap import wrap
from typing import Any, Final

from wire.signals import Verdict

_WORDS: Final = {
    Verdict.READY: "ok", Verdict.ATTENTION: "attention", Verdict.BLOCKED: "BLOCKED", Verdict.UNKNOWN: "unknown",
}  # fmt: skip
_WIDTH: Final = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was looked at."""

    name: str
    where: str
    """A file, a unit, an address."""
    mark: Verdict
    """`unknown` where nobody can know it here."""
    says: str
    do: str = ""
    """What to do about it."""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {**asdict(self), "mark": _WORDS[self.mark].lower(), "facts": dict(self.facts)}


def ok(name: str, where: str, says: str, **facts: Any) -> Row:
    """It is as it should be."""
    return Row(name, where, Verdict.READY, says, facts=facts)


def attention(name: str, where: str, says: str, do: str, **facts: Any) -> Row:
    """Sessions run, and somebody should see to it."""
    return Row(name, where, Verdict.ATTENTION, says, do, facts)


def blocked(name: str, where: str, says: str, do: str, **facts: Any) -> Row:
    """No session can run, or nothing of it can be kept."""
    return Row(name, where, Verdict.BLOCKED, says, do, facts)


def unknown(name: str, where: str, says: str, **facts: Any) -> Row:
    """Nobody can know it here, and that is no fault."""
    return Row(name, where, Verdict.UNKNOWN, says, facts=facts)


@dataclass(frozen=True, slots=True)
class Report:
    """One visit of the doctor."""

    kiosk: str | None
    """None where no settings say which it is."""
    rows: tuple[Row, ...]

    @property
    def blocked(self) -> tuple[Row, ...]:
        """What keeps this kiosk from its work."""
        return tuple(row for row in self.rows if row.mark is Verdict.BLOCKED)

    def json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {"ok": not self.blocked, "kiosk": self.kiosk, "rows": [row.json() for row in self.rows]}

    def table(self) -> str:
        """A few lines for each: what, where, and what to do."""
        lines = [f"Kiosk {self.kiosk or 'without settings'}"]
        for row in self.rows:
            first = f"{row.name:<12}{_WORDS[row.mark]:>9}  "
            lines += wrap(f"{row.where}: {row.says}", _WIDTH, initial_indent=first, subsequent_indent=" " * 23,
                          break_on_hyphens=False)  # fmt: skip
            if row.do and row.mark is not Verdict.READY:
                lines += wrap(row.do, _WIDTH, initial_indent=" " * 21 + "! ", subsequent_indent=" " * 23,
                              break_on_hyphens=False)  # fmt: skip
        marks = [row.mark for row in self.rows]
        counts = ", ".join(f"{marks.count(mark)} {word.lower()}" for mark, word in _WORDS.items() if mark in marks)
        return "\n".join([*lines, f"{len(marks)} looked at: {counts}"])
