"""`python -m lab.bench`: all figures, or those named."""

import argparse
import sys
import tempfile
from pathlib import Path

from lab.bench import faults, idle, ingest, press
from lab.bench.figures import Results

_BENCHES = ["press", "faults", "idle", "ingest"]


def main() -> int:
    """Print the figures; 0 even when a goal is missed, because a missed goal is a result."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("which", nargs="*", choices=[[], *_BENCHES], help="only these")
    parser.add_argument("--quick", action="store_true", help="fewer samples, to see that it works")
    parser.add_argument("--results", type=Path, default=Path("bench-results"))
    args = parser.parse_args()
    which = args.which or _BENCHES
    results = Results(args.results)
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as name:
        folder = Path(name)
        if "press" in which:
            press.measure(results, folder, 100 if args.quick else 1_000)
        if "faults" in which:
            faults.measure(results, folder / "faults", 2 if args.quick else 10)
        if "idle" in which:
            idle.measure(results, folder / "idle", 10 if args.quick else 60)
        if "ingest" in which:
            ingest.measure(results, folder / "ingest", 3_000 if args.quick else 20_000, 1 if args.quick else 3)
    met = results.close()
    sys.stdout.write(f"\n{'Every goal met' if met else 'A goal was missed'}; samples in {args.results}/\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
