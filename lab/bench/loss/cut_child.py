"""What the power cut cuts: `python -m lab.bench.loss.cut_child LEDGER MUTATION` appends rows for as long as it can.

A mutation is made in this process only, to see that the bench can fail: `synchronous-off` is no fsync at all,
`synchronous-normal` none at a commit, `commit-removed` an append that returns with its rows in memory.
"""

import sqlite3
import sys
import time
from pathlib import Path
from typing import Final, Never

from device.errors import LedgerError
from device.session.ledger import Ledger
from lab.bench.loss.writer import a_fact

_PRAGMAS: Final = {"synchronous-off": "pragma synchronous=off", "synchronous-normal": "pragma synchronous=normal"}


def main(path: Path, mutation: str) -> Never:
    """Append until the disk is gone."""
    ledger = Ledger.open(path)
    if mutation in _PRAGMAS:
        ledger._db.execute(_PRAGMAS[mutation])  # noqa: SLF001  # the mutation
    if mutation == "commit-removed":
        setattr(ledger, "write_waiting", lambda: None)  # noqa: B010  # the mutation
    _say("ready")
    number = 1
    while True:
        facts = [a_fact(number + one) for one in range(1 + number % 3)]
        number += len(facts)
        try:
            ledger.append(facts)
            if number % 7 == 0:
                ledger.keep("alive", {"at": number})
        except (LedgerError, sqlite3.Error):
            sys.exit(0)
        _say(f"promised {number - 1} {time.monotonic_ns()}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
