"""One figure, its goal, and the file of raw samples behind it."""

import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value beside its goal; without a goal it is there for comparison."""

    name: str
    value: float
    unit: str
    goal: str = ""
    ok: bool | None = None
    note: str = ""

    def line(self) -> str:
        """The figure as one line of the table."""
        verdict = {True: "ok", False: "MISSED", None: ""}[self.ok]
        return f"{self.name:<52} {self.value:>12.3f} {self.unit:<12} {self.goal:<28} {verdict:<7}{self.note}".rstrip()


def at_most(name: str, value: float, limit: float, unit: str, note: str = "") -> Figure:
    """A figure that is well when it is no larger than its goal."""
    return Figure(name, value, unit, f"<= {limit:g} {unit}", value <= limit, note)


def at_least(name: str, value: float, limit: float, unit: str, note: str = "") -> Figure:
    """A figure that is well when it is no smaller than its goal."""
    return Figure(name, value, unit, f">= {limit:g} {unit}", value >= limit, note)


def percentile(samples: Sequence[float], percent: float) -> float:
    """The sample that `percent` of all samples do not exceed."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, max(0, round(percent / 100 * len(ordered) + 0.5) - 1))]


def median(samples: Sequence[float]) -> float:
    """The middle sample."""
    return statistics.median(samples)


class Results:
    """Prints figures as they come and keeps them with their samples."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._figures: list[Figure] = []
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, figure: Figure) -> None:
        """Print a figure and keep it."""
        self._figures.append(figure)
        sys.stdout.write(figure.line() + "\n")
        sys.stdout.flush()

    def samples(self, name: str, unit: str, samples: Sequence[float]) -> None:
        """Keep the raw samples behind a figure."""
        (self._folder / f"{name}.json").write_text(json.dumps({"unit": unit, "samples": list(samples)}) + "\n")

    def close(self) -> bool:
        """Write figures.json; whether every goal was met."""
        (self._folder / "figures.json").write_text(json.dumps([asdict(one) for one in self._figures], indent=1) + "\n")
        return all(one.ok is not False for one in self._figures)
