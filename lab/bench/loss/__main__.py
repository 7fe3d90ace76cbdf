"""`python -m lab.bench.loss`: break everything, and print what was lost and what was doubled.

`--quick` takes a minute or two, the full run about twenty. `--mutate` runs the benches with something broken on
purpose, to see that they can fail. Power cuts take root (`sudo make bench-loss`).
"""

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from lab.bench.loss import backlog, cuts, drain, files, lines, million, mutations, network, restart, year
from lab.bench.loss.table import Table

Bench = Callable[[Table, Path, bool], None]

# What forks comes first: later ones have threads.
_BENCHES: Final[dict[str, Bench]] = {
    "kills": lambda table, folder, quick: files.kills(table, folder, 40 if quick else 1_250),
    "refusals": lambda table, folder, quick: files.refusals(table, folder, 6 if quick else 350),
    "reads": lambda table, folder, quick: files.unreadable(table, folder, 20 if quick else 260),
    "year": lambda table, folder, quick: year.year(table, folder, 60 if quick else 180),
    "cuts": lambda table, folder, quick: cuts.cuts(table, folder, 4 if quick else 200),
    "broker": lambda table, folder, quick: network.broker_kills(table, folder, 4 if quick else 200),
    "fleet": lambda table, folder, quick: network.fleet_kills(table, folder, 2 if quick else 30),
    "networks": lambda table, folder, quick: network.bad_networks(
        table, folder, 1 if quick else 3, 3.0 if quick else 6.0
    ),
    "drain": lambda table, folder, quick: drain.drain(table, folder, 20_000 if quick else 100_000),
    "backlog": lambda table, folder, quick: backlog.backlog(table, folder, 3 if quick else 30),
    "restart": lambda table, folder, quick: restart.restart(table, folder, 2 if quick else 10),
    "million": lambda table, folder, quick: million.million(table, folder, 20_000 if quick else 1_000_000),
    "inodes": lambda table, folder, _quick: million.no_inode(table, folder),
    "lines": lambda table, folder, quick: lines.lines(table, folder, 4.0 if quick else 20.0),
}


def main() -> int:
    """Print the table; 1 when something was lost or doubled, or a mutation was not noticed."""
    parser = argparse.ArgumentParser(prog="make bench-loss", description=__doc__)
    parser.add_argument("which", nargs="*", choices=[[], *_BENCHES], help="only these")
    parser.add_argument("--quick", action="store_true", help="fewer of everything, to see that it works")
    parser.add_argument("--mutate", action="store_true", help="break the product on purpose: each bench must notice")
    parser.add_argument("--results", type=Path, default=Path("bench-results"))
    args = parser.parse_args()
    logging.disable(logging.CRITICAL)  # what is broken on purpose need not be told
    table = Table(args.results, "loss-mutated" if args.mutate else "loss")
    # Beside the results and not under /tmp, which may be memory: much of this is about a disk.
    with tempfile.TemporaryDirectory(prefix="losing-", dir=args.results) as name:
        folder = Path(name).resolve()
        if args.mutate:
            mutations.mutate(table, folder, quick=args.quick)
        for which, bench in {} if args.mutate else _BENCHES.items():
            if which in (args.which or _BENCHES):
                began_s = time.monotonic()
                bench(table, folder / which, args.quick)
                table.took(which, time.monotonic() - began_s)
    well = table.close()
    words = "Every mutation was noticed" if args.mutate else "Nothing lost, nothing doubled"
    sys.stdout.write(f"\n{words if well else 'SOMETHING IS NOT AS IT MUST BE'}; samples in {args.results}/\n")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
