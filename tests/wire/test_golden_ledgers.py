"""Whole ledgers of this version keep their chain and their minutes for ever, in whatever order their rows arrive."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from wire.ledger import Row, chained, distinct, verified
from wire.messages import WireRow
from wire.minutes import FOLD_VERSION, SessionRecord, fold

LEDGERS = sorted((Path(__file__).parent / "golden-ledgers").glob("*.json"), key=lambda path: path.stem)


@pytest.fixture(params=LEDGERS, ids=lambda path: path.stem)
def told(request: pytest.FixtureRequest) -> Any:
    return json.loads(request.param.read_text())


def rows_of(told: Any) -> list[Row]:
    return [
        row
        for one in told["epochs"]
        for row in verified(one["epoch"], [WireRow.model_validate(wired) for wired in one["rows"]], 1)
    ]


def records(rows: list[Row], told: Any) -> dict[str, SessionRecord]:
    return {
        name: without_spans(fold(distinct(row for row in rows if row.session == name))) for name in told["sessions"]
    }


def golden(told: Any) -> dict[str, SessionRecord]:
    """The records as they were kept; a figure that came later has to be what a record without it says."""
    return {name: without_spans(SessionRecord.model_validate(record)) for name, record in told["sessions"].items()}


def without_spans(record: SessionRecord) -> SessionRecord:
    """The record but for its timeline, and for which version of the fold gave it."""
    minutes = record.minutes.model_copy(update={"fold_version": FOLD_VERSION})
    return record.model_copy(update={"spans": (), "minutes": minutes})


def test_there_are_golden_ledgers() -> None:
    assert len(LEDGERS) >= 3


def test_a_golden_ledger_keeps_its_chain_and_its_minutes(told: Any) -> None:
    rows = rows_of(told)
    assert len(rows) > 5
    assert records(rows, told) == golden(told), told["says"]
    for record in told["sessions"].values():
        minutes = record["minutes"]
        parts = minutes["running_ms"] + minutes["paused_ms"] + sum(minutes["interrupted_ms"].values())
        assert parts == minutes["elapsed_ms"] > 0


def test_rows_that_arrive_twice_and_out_of_order_give_the_same_minutes(told: Any) -> None:
    arrived = [(number, row) for number, one in enumerate(told["epochs"]) for row in one["rows"]]
    arrived += arrived[: len(arrived) // 2]
    random.Random(1).shuffle(arrived)
    kept = {(number, json.loads(wired["body"])["seq"]): wired for number, wired in arrived}
    epochs = [
        {"epoch": one["epoch"], "rows": [kept[number, seq] for seq in range(1, len(one["rows"]) + 1)]}
        for number, one in enumerate(told["epochs"])
    ]
    assert records(rows_of({"epochs": epochs}), told) == golden(told)


def test_a_changed_letter_anywhere_breaks_the_chain(told: Any) -> None:
    one = told["epochs"][0]
    prev = one["epoch"]
    for wired in one["rows"]:
        assert chained(prev, wired["body"]) == wired["hash"]
        assert chained(prev, wired["body"].replace('"seq":', '"seq": ')) != wired["hash"]
        prev = wired["hash"]
