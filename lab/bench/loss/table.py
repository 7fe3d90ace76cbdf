"""One line for each way of breaking: what was tried, what was lost, what was doubled."""

import json
import platform
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one way of breaking."""

    name: str
    tried: int
    of: str
    """What was tried so often."""
    lost: int
    doubled: int
    facts: int
    """So many facts were promised or written in all."""
    note: str = ""
    missed: str = ""
    """Another goal of this line that was missed."""
    samples: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether zeros are where zeros belong, and something was really tried."""
        return self.lost == self.doubled == 0 and self.tried > 0 and self.facts > 0 and not self.missed

    def line(self) -> str:
        """It as a line of the table."""
        verdict = "ok" if self.ok else f"MISSED {self.missed}".rstrip()
        return (
            f"{self.name:<50} {self.tried:>6} {self.of:<18} {self.facts:>8} rows  lost {self.lost:<6} "
            f"doubled {self.doubled:<6} goal 0/0  {verdict:<7} {self.note}"
        ).rstrip()


class Table:
    """Prints rows as they come and keeps them, with their samples, as JSON."""

    def __init__(self, folder: Path, name: str = "loss", *, quiet: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._quiet = quiet
        self._path = folder / f"{name}.json"
        self.rows: list[Row] = []
        self.not_run: dict[str, str] = {}
        self.seconds: dict[str, float] = {}
        self._began = datetime.now(UTC)

    def add(self, row: Row) -> None:
        """Print a row and keep it."""
        self.rows.append(row)
        self._write(row.line())

    def skip(self, name: str, why: str) -> None:
        """Say what could not be tried here."""
        self.not_run[name] = why
        self._write(f"{name:<50} NOT RUN: {why}")

    def took(self, which: str, seconds: float) -> None:
        """Keep how long a bench ran."""
        self.seconds[which] = round(seconds, 1)

    def close(self) -> bool:
        """Write the JSON; whether all is well."""
        on = platform.uname()
        told = {
            "began": self._began.isoformat(timespec="seconds"),
            "machine": f"{on.machine}, {on.system} {on.release}, Python {platform.python_version()}",
            "rows": [{**asdict(row), "ok": row.ok} for row in self.rows],
            "seconds": self.seconds,
            "not_run": self.not_run,
        }
        self._path.write_text(json.dumps(told, indent=1) + "\n")
        return all(row.ok for row in self.rows)

    def _write(self, line: str) -> None:
        if not self._quiet:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
