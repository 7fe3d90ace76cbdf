"""Ledger rows: a golden sample of every type, the chain that shows every change, and copies that count once."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from wire.asyncapi import document
from wire.errors import BadPayload, BrokenChain
from wire.ledger import EVENTS, ClockTrust, Row, body_of, chained, checked, distinct, row_of, verified
from wire.messages import WireRow

GOLDEN = Path(__file__).parent / "golden"
BEFORE = Path(__file__).parent / "golden-before"
EPOCH = "b7e23ec2-9af4-4a0e-8f0b-1f1c6f0c9d55"


def sample(name: str) -> str:
    """The stored text of a row of that type, as this product wrote it once."""
    return (GOLDEN / f"{name}.json").read_text().removesuffix("\n")


def help_asked(seq: int, **change: Any) -> Row:
    told = {"seq": seq, "type": "help.asked", "session": "s-1", "at": "2026-03-02T09:00:00Z", "mono_ns": seq,
            "boot": "boot-1", "clock": "synced"}  # fmt: skip
    return Row.model_validate(told | change)


def chain(rows: list[Row]) -> list[WireRow]:
    prev, kept = EPOCH, []
    for row in rows:
        body = body_of(row)
        prev = chained(prev, body)
        kept.append(WireRow(body=body, hash=prev))
    return kept


# Golden samples


def test_every_type_has_a_sample_and_every_sample_a_type() -> None:
    assert {path.stem for path in GOLDEN.glob("*")} == set(EVENTS)


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_a_golden_row_is_read_and_written_to_the_letter(name: str) -> None:
    row = row_of(sample(name))
    assert row.type == name
    assert body_of(row) == sample(name)
    assert checked(name, row.data) == row.data, "its model knows every field of it"


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_a_golden_row_fits_the_published_schemas(name: str) -> None:
    published = document()
    row = row_of(sample(name))
    for schema, value in (
        ({"$ref": "#/components/schemas/Row"}, row.model_dump(mode="json")),
        (published["x-ledger-types"][name], row.data),
    ):
        Draft202012Validator({**schema, "components": published["components"]}).validate(value)


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_a_row_of_a_later_version_is_read_without_what_is_new(name: str) -> None:
    data = row_of(sample(name)).data
    assert checked(name, data | {"mood": "sunny"}) == data


def test_rows_of_before_a_booking_stood_beside_a_reason_are_read_as_they_were() -> None:
    for name, field, value in (("reason.given", "reason", "student-unwell"), ("student.absent", "student", "s-0418")):
        body = (BEFORE / f"{name}.json").read_text().removesuffix("\n")
        row = row_of(body)
        assert body_of(row) == body
        kept = checked(name, row.data)
        assert kept.pop(field) == value
        assert set(kept.values()) == {None}


def test_rows_of_before_there_were_cards_are_read_as_they_were() -> None:
    for name, student in (("student.confirmed", "s-0418"), ("student.wrong", None)):
        body = (BEFORE / f"{name}.json").read_text().removesuffix("\n")
        row = row_of(body)
        assert body_of(row) == body
        kept = checked(name, row.data)
        assert kept["student"] == student
        assert {value for key, value in kept.items() if key != "student"} == {None}


def test_what_is_no_type_and_what_does_not_fit_is_refused() -> None:
    with pytest.raises(BadPayload, match=r"session\.danced"):
        checked("session.danced", {})
    with pytest.raises(BadPayload, match="by_ms"):
        checked("session.extended", {"by_ms": 0})


def test_a_type_this_version_does_not_know_is_still_a_row() -> None:
    row = help_asked(1, type="camera.melted", data={"role": "front"})
    assert row_of(body_of(row)) == row


def test_seconds_and_letters_of_any_kind_are_kept() -> None:
    row = help_asked(1, at="2026-03-02T09:00:00.123456+05:30", data={"reason": "señal 😀"})
    assert row_of(body_of(row)) == row


# The chain


def test_a_chain_is_verified_from_its_epoch_and_from_any_row() -> None:
    kept = chain([help_asked(seq) for seq in range(1, 8)])
    assert [row.seq for row in verified(EPOCH, kept, 1)] == [1, 2, 3, 4, 5, 6, 7]
    assert [row.seq for row in verified(kept[2].hash, kept[3:], 4)] == [4, 5, 6, 7]
    with pytest.raises(BrokenChain):
        verified(kept[1].hash, kept[3:], 4)


def test_a_hash_does_not_depend_on_the_machine() -> None:
    assert chained(EPOCH, sample("boot")) == "c0307314e47587d88224a990cf8488d91e976b844c420727fae8a832c208b459"


@settings(max_examples=60, deadline=None)
@given(data=st.data(), length=st.integers(1, 6))
def test_any_changed_byte_is_found(data: st.DataObject, length: int) -> None:
    kept = chain([help_asked(seq) for seq in range(1, length + 1)])
    n = data.draw(st.integers(0, length - 1))
    at = data.draw(st.integers(0, len(kept[n].body) - 1))
    other = data.draw(st.characters(min_codepoint=32, max_codepoint=126).filter(lambda one: one != kept[n].body[at]))
    kept[n] = WireRow(body=kept[n].body[:at] + other + kept[n].body[at + 1 :], hash=kept[n].hash)
    with pytest.raises(BrokenChain):
        verified(EPOCH, kept, 1)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), length=st.integers(2, 8))
def test_a_dropped_or_swapped_row_is_found(data: st.DataObject, length: int) -> None:
    kept = chain([help_asked(seq) for seq in range(1, length + 1)])
    n = data.draw(st.integers(0, length - 2))
    dropped = kept[:n] + kept[n + 1 :]
    swapped = [*kept[:n], kept[n + 1], kept[n], *kept[n + 2 :]]
    for changed in (dropped, swapped, [*kept[: n + 1], *kept[n:]]):
        with pytest.raises(BrokenChain):
            verified(EPOCH, changed, 1)


def test_a_chain_whose_numbers_are_wrong_is_found_though_its_hashes_follow() -> None:
    for rows in ([help_asked(2)], [help_asked(1), help_asked(3)], [help_asked(1), help_asked(1)]):
        with pytest.raises(BrokenChain, match="its text says"):
            verified(EPOCH, chain(rows), 1)


def test_a_chained_text_that_is_no_row_is_a_bad_payload() -> None:
    with pytest.raises(BadPayload):
        verified(EPOCH, [WireRow(body="{}", hash=chained(EPOCH, "{}"))], 1)


# Copies


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 20), min_size=1, max_size=20, unique=True).map(sorted), st.integers(0, 19))
def test_copies_under_new_numbers_count_once(seqs: list[int], from_: int) -> None:
    rows = [help_asked(seq) for seq in seqs]
    copies = [row.model_copy(update={"seq": seq}) for seq, row in enumerate(rows[from_:], 2)]
    assert distinct([*rows, *copies]) == rows


@pytest.mark.parametrize(
    "change",
    [
        {"mono_ns": 8},
        {"boot": "boot-2"},
        {"type": "button.freed"},
        {"session": "s-2"},
        {"data": {"role": "front"}},
        {"mono_ns": 8, "clock": ClockTrust.UNSET},
    ],
)
def test_what_differs_in_anything_is_no_copy(change: dict[str, Any]) -> None:
    rows = [help_asked(7), help_asked(8, **({"mono_ns": 7} | change))]
    assert distinct(rows) == rows
