"""The fleet's ingest, made to die where it hurts: `python -m lab.bench.loss.fleet_child CONFIG HOW AT`.

HOW is `runs`, or `before-answer`: killed after the ATth commit that holds rows, before anything is acknowledged. The
mutation is `answers-early`: it acknowledges inside the transaction and is killed before the commit.
"""

import os
import signal
import sys
import time
from typing import Any

import fleet.broker as broker_module
from fleet import cli
from fleet.ingest import Ingest

_TO_SEND_S = 0.2


def main(config: str, how: str, at: int) -> int:
    """Run `carrel-fleet ingest`, changed in this process only."""
    for name, value in {"FIRST_RETRY_S": 0.2, "BACKOFF_CAP_S": 1.0}.items():
        setattr(broker_module, name, value)
    answer, keep = Ingest._answer, Ingest._keep  # noqa: SLF001  # what is to break
    times = 0

    def dies_before_answer(self: Ingest, now: Any) -> None:
        nonlocal times
        times += any(one.new_rows for one in self._unanswered)
        if times >= at:
            os.kill(os.getpid(), signal.SIGKILL)
        answer(self, now)

    def answers_early(self: Ingest, connection: Any, parcels: Any, now: Any) -> Any:
        nonlocal times
        outcomes = keep(self, connection, parcels, now)
        times += any(one.new_rows for one in outcomes)
        if times >= at:
            self._unanswered += outcomes
            self._answered_at_s = float("-inf")
            answer(self, now)
            time.sleep(_TO_SEND_S)
            os.kill(os.getpid(), signal.SIGKILL)
        return outcomes

    if how == "before-answer":
        setattr(Ingest, "_answer", dies_before_answer)  # noqa: B010  # in this process only
    if how == "answers-early":
        setattr(Ingest, "_keep", answers_early)  # noqa: B010  # as above
    return cli.main(["ingest", "--config", config])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
