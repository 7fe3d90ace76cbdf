"""Kiosk and fleet give the same numbers for partial, reordered and repeated ledgers, and say when rows are missing."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from fleet.sessions import record_of
from fleet.store import sessions
from tests.fleet.world import Fleet, Kiosk
from wire.ledger import distinct, row_of
from wire.messages import WireRow
from wire.minutes import FOLD_VERSION, Minutes, fold

LEDGERS = sorted((Path(__file__).parents[1] / "wire" / "golden-ledgers").glob("*.json"), key=lambda path: path.stem)


@pytest.mark.parametrize("path", LEDGERS, ids=lambda path: path.stem)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_way_the_rows_come(fleet: Fleet, path: Path, seed: int) -> None:
    told = json.loads(path.read_text())
    epochs = [
        Kiosk(epoch=one["epoch"], rows=[WireRow.model_validate(row) for row in one["rows"]]) for one in told["epochs"]
    ]
    chance = random.Random(seed)
    messages = [(one, first, min(first + 2, one.head)) for one in epochs for first in range(1, one.head + 1, 2)]
    messages += chance.sample(messages, len(messages) // 2)
    chance.shuffle(messages)
    # A new epoch is opened at the fleet's answer to the old one, so the fleet has met them in their order.
    messages = [*((one, 1, 1) for one in epochs), *messages]
    arrived: dict[str, set[int]] = {one.epoch: set() for one in epochs}
    for number, (kiosk, first, last) in enumerate(messages):
        fleet.take(kiosk.sends(first, last))
        arrived[kiosk.epoch] |= set(range(first, last + 1))
        if number % 7 == 0 or number == len(messages) - 1:
            fleet.settle()
            as_the_kiosk_would(fleet, epochs, arrived, told)
    for id_, record in told["sessions"].items():
        with fleet.database.read() as connection:
            line = sessions.one(connection, id_)
        assert line is not None
        assert line.complete
        golden = Minutes.model_validate(record["minutes"] | {"fold_version": FOLD_VERSION})
        assert Minutes.model_validate_json(line.minutes) == golden


def as_the_kiosk_would(fleet: Fleet, epochs: list[Kiosk], arrived: dict[str, set[int]], told: Any) -> None:
    """What the fleet says is the kiosk's own fold of the same rows, and what stands after a hole is not complete."""
    for id_ in told["sessions"]:
        own, behind_a_hole = [], False
        for one in epochs:
            here = arrived[one.epoch]
            through = next(seq for seq in range(one.head + 2) if seq + 1 not in here)
            for seq in sorted(here):
                row = row_of(one.rows[seq - 1].body)
                if row.session == id_:
                    own.append(row)
                    behind_a_hole |= seq > through
        if not own:
            continue
        with fleet.database.read() as connection:
            line = sessions.one(connection, id_)
            held = sessions.rows_of(connection, id_, epochs[0].id)
        assert line is not None
        assert [row_of(kept.body) for kept in held] == own
        record = fold(distinct(own))
        assert record_of(id_, held) == record
        assert json.loads(line.minutes) == json.loads(record.minutes.model_dump_json())
        assert not (line.complete and behind_a_hole)
