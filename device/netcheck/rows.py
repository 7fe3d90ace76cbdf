"""What a network check says: rows for people, and the findings that count as signals."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Mark(StrEnum):
    """How a row stands."""

    OK = "ok"
    TROUBLE = "trouble"
    UNKNOWN = "unknown"
    """Nobody can know it here; it changes nothing."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was looked at."""

    name: str
    where: str
    mark: Mark
    says: str
    """What was found."""
    do: str = ""
    """What to do about it."""
    filters: bool = False
    """Whether it is the network's doing: a row like that makes `link.filtered`."""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """One network check."""

    rows: tuple[Row, ...]
    took_s: float = 0.0

    @property
    def troubles(self) -> tuple[Row, ...]:
        """What is wrong."""
        return tuple(row for row in self.rows if row.mark is Mark.TROUBLE)

    @property
    def filtered(self) -> tuple[Row, ...]:
        """What the network does to us."""
        return tuple(row for row in self.troubles if row.filters)

    @property
    def upload_bps(self) -> int | None:
        """What can be sent, at least; None while nobody measured it."""
        return next((row.facts["bps"] for row in self.rows if row.name == "upload" and "bps" in row.facts), None)

    def json(self) -> dict[str, Any]:
        """As `--json` prints it, and as the fleet is answered."""
        return {"ok": not self.troubles, "took_s": self.took_s, "rows": [asdict(row) for row in self.rows]}
