"""Who was there: only what a row says, once, whatever else it says."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fleet.attendance import attended, confirmed
from wire.ledger import Row, body_of

FIRST = {"seq": 1, "type": "student.confirmed", "session": "s-1", "at": "2026-03-02T09:00:00Z", "mono_ns": 1,
         "boot": "boot-1", "clock": "synced"}  # fmt: skip


def body(seq: int = 1, **change: Any) -> str:
    return body_of(Row.model_validate(FIRST | {"seq": seq, "mono_ns": seq} | change))


def test_rows_of_before_there_were_cards_are_understood() -> None:
    (one,) = attended([body(data={"student": "s-0418"})])
    assert (one.student, one.card, one.makes_up) == ("s-0418", None, None)
    assert attended([body(type="student.wrong", data={"student": None})])[0].student is None


def test_a_copy_of_a_fork_counts_once() -> None:
    facts = attended(
        [body(data={"student": "s-0418", "card": 10}), body(7, mono_ns=1, data={"student": "s-0418", "card": 10})]
    )
    assert len(facts) == 1


def test_nobody_is_confirmed_twice_nor_by_being_wrong() -> None:
    facts = attended(
        [
            body(1, data={"student": "s-0418", "card": 10}),
            body(2, data={"student": "s-0418", "card": 12}),
            body(3, type="student.wrong", data={"student": "s-0502", "card": 11}),
            body(4, data={"student": None}),
        ]
    )
    assert confirmed(facts) == ("s-0418",)


@given(
    st.dictionaries(
        st.sampled_from(["student", "card", "makes_up", "by", "mood"]), st.none() | st.integers() | st.text()
    )
)
def test_a_row_of_any_shape_is_understood_or_left_out(data: dict[str, Any]) -> None:
    good = body(2, data={"student": "s-0502", "card": 11})
    facts = attended([json.dumps(FIRST | {"data": data}), good])
    assert confirmed(facts)[-1] == "s-0502"
    assert len(facts) in {1, 2}
    assert attended(["no row"]) == ()
