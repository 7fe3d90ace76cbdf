"""kit.toml holds together: parts, pins, costs, and the bill that is made of them."""

import csv
from decimal import Decimal

import pytest

from device.kit import kit
from hardware.bill import COLUMNS, bill, total
from hardware.header import GROUNDS, PIN_MA, PINS, SUPPLIES, lamp_ma

PANEL_PINS = {
    "button": kit().panel.button_pin,
    "lamp": kit().panel.lamp_pin,
    "camera_lamp": kit().panel.camera_lamp_pin,
    "overhead_shutter": kit().panel.overhead_shutter_pin,
    "front_shutter": kit().panel.front_shutter_pin,
}


def test_every_part_is_in_the_bill_with_its_cost_marked_as_an_estimate() -> None:
    rows = list(csv.DictReader(bill().splitlines()))
    bought = {row["part"]: row for row in rows if row["fitted"] in {"standard", "optional"}}
    assert list(bought) == [one["id"] for one in kit().parts]
    for one in kit().parts:
        row = bought[one["id"]]
        assert (row["role"], row["item"], int(row["quantity"])) == (one["role"], one["name"], one["quantity"])
        assert Decimal(row["cost"]) == Decimal(row["unit_cost"]) * one["quantity"]
        others = [row["item"] for row in rows if row["part"] == one["id"] and row["fitted"] == "instead"]
        assert others == [other["name"] for other in one.get("instead", ())]
    assert all(row["status"] == "estimate" and row["as_of"] == "2026-11-24" for row in rows)
    assert tuple(rows[0]) == COLUMNS


def test_the_totals_are_those_of_the_rows_without_what_may_be_bought_instead() -> None:
    rows = list(csv.DictReader(bill().splitlines()))
    of = {how: sum(Decimal(row["cost"]) for row in rows if row["fitted"] == how) for how in ("standard", "optional")}
    totals = {row["fitted"]: Decimal(row["cost"]) for row in rows if row["part"] == "total"}
    assert totals == {"standard kit": of["standard"], "with every optional part": of["standard"] + of["optional"]}
    assert total(list(kit().parts), optional=True) == sum(of.values())


def test_a_part_has_one_id_and_nothing_is_given_away() -> None:
    ids = [one["id"] for one in kit().parts]
    assert len(set(ids)) == len(ids)
    assert all(one["cost"] > 0 and one["quantity"] > 0 for one in kit().parts)


def test_pins_are_on_the_header_each_used_once_and_beside_a_ground_of_their_own() -> None:
    grounds = kit().wiring["grounds"]
    assert set(grounds) == set(PANEL_PINS)
    used = [PINS[pin] for pin in PANEL_PINS.values() if pin is not None] + list(grounds.values())
    assert len(set(used)) == 2 * len(PANEL_PINS)
    assert set(grounds.values()) <= set(GROUNDS)


def test_every_way_of_the_header_is_told_once() -> None:
    assert sorted([*PINS.values(), *GROUNDS, *SUPPLIES]) == list(range(1, 41))


def test_a_lamp_takes_less_than_a_pin_gives_and_enough_to_be_seen() -> None:
    wiring = kit().wiring
    assert lamp_ma(wiring["lamp_v"], wiring["lamp_ohm"]) == pytest.approx(3.9, abs=0.1)
    assert 2 < lamp_ma(wiring["lamp_v"], wiring["lamp_ohm"]) < PIN_MA


def test_the_kit_is_the_same_for_both_sides() -> None:
    assert kit().kit.sides == ("student", "therapist")
    assert kit().kit.display.touch
