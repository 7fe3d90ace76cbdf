"""Ledgers of released versions keep their minutes for ever, or an ADR says why."""

import json
from pathlib import Path

import pytest

from tests.wire.test_golden_ledgers import without_spans
from wire.ledger import row_of
from wire.minutes import SessionRecord, fold

SESSIONS = sorted((Path(__file__).parent / "golden-sessions").glob("*.json"), key=lambda path: path.stem)


def test_there_are_golden_sessions() -> None:
    assert len(SESSIONS) >= 6


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.stem)
def test_a_golden_session_keeps_its_record(path: Path) -> None:
    told = json.loads(path.read_text())
    found = fold(row_of(json.dumps(row)) for row in told["rows"])
    golden = SessionRecord.model_validate(told["record"])
    assert without_spans(found) == without_spans(golden), told["says"]
