"""`python -m lab.bench`: all figures, or those named."""

import argparse
import logging
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from lab.bench import (
    board,
    coding,
    exposure,
    faults,
    first_pictures,
    idle,
    incidents,
    ingest,
    kills,
    looking,
    memory,
    power_cut,
    preflight,
    press,
    rosters,
    session_kills,
    viewer,
)
from lab.bench.figures import Results

Bench = Callable[[Results, Path, bool], None]
"""Prints its figures; it is given a folder of its own, and whether fewer samples are enough."""


def _coding(results: Results, folder: Path, quick: bool) -> None:  # noqa: FBT001  # as `Bench` has it
    coding.measure(results, folder, 5 if quick else 30, 1 if quick else 5)
    looking.measure(results, 20 if quick else 120)


def _kills(results: Results, folder: Path, quick: bool) -> None:  # noqa: FBT001  # as above
    kills.measure(results, folder / "cameras", 10 if quick else 200)
    session_kills.measure(results, folder / "session", 2 if quick else 10)


_BENCHES: Final[dict[str, Bench]] = {
    "exposure": lambda results, _folder, _quick: exposure.measure(results),
    "press": lambda results, folder, quick: press.measure(results, folder, 100 if quick else 1_000),
    "first": lambda results, folder, quick: first_pictures.measure(results, folder, 5 if quick else 40),
    "preflight": lambda results, folder, quick: preflight.measure(results, folder, 3 if quick else 20),
    "faults": lambda results, folder, quick: faults.measure(results, folder, 2 if quick else 10),
    "incidents": lambda results, folder, quick: incidents.measure(results, folder, 1 if quick else 2),
    "idle": lambda results, folder, quick: idle.measure(results, folder, 10 if quick else 60),
    "ingest": lambda results, folder, quick: ingest.measure(
        results, folder, 3_000 if quick else 20_000, 1 if quick else 3
    ),
    "board": lambda results, folder, quick: board.measure(results, folder, 50 if quick else 500),
    "coding": _coding,
    "rosters": lambda results, folder, quick: rosters.measure(
        results, folder, 1_000 if quick else 10_000, 1 if quick else 3
    ),
    "viewer": lambda results, folder, quick: viewer.measure(results, folder, 5 if quick else 20),
    "kills": _kills,
    "power-cut": lambda results, folder, quick: power_cut.measure(
        results, folder, *((5, 2, 1) if quick else (200, 20, 10))
    ),
    "memory": lambda results, folder, quick: memory.measure(results, folder, 60, 60 if quick else 1_200),
}
"""In the order in which they run; the last one takes twenty minutes."""


def main() -> int:
    """Print the figures; 0 even when a goal is missed, because a missed goal is a result."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("which", nargs="*", choices=[[], *_BENCHES], help="only these")
    parser.add_argument("--quick", action="store_true", help="fewer samples, to see that it works")
    parser.add_argument("--results", type=Path, default=Path("bench-results"))
    args = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)  # what is broken on purpose need not be told
    results = Results(args.results)
    # Beside the results and not under /tmp, which may be memory: much of this is about a disk.
    with tempfile.TemporaryDirectory(prefix="running-", dir=args.results) as name:
        for which, measure in _BENCHES.items():
            if which in (args.which or _BENCHES):
                folder = Path(name).resolve() / which
                folder.mkdir()
                measure(results, folder, args.quick)
    met = results.close()
    sys.stdout.write(f"\n{'Every goal met' if met else 'A goal was missed'}; samples in {args.results}/\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
