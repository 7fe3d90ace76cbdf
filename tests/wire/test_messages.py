"""Messages: round trips, and old kiosks that outlive new fleets."""

from typing import Any

import pytest

from wire import messages
from wire.codec import WireModel, decode, encode, read
from wire.errors import BadPayload
from wire.schedule import Schedule

NOW = "2026-03-02T09:00:00Z"
EPOCH = "b7e23ec2-9af4-4a0e-8f0b-1f1c6f0c9d55"
SAMPLES: list[tuple[type[WireModel], dict[str, Any]]] = [
    (messages.Presence, {"state": "online", "birth": 3, "boot": "b", "version": "1", "protocol": 1, "epoch": EPOCH}),
    (messages.Health, {"at": NOW, "uptime_s": 12.5, "cameras": {"front": {"fps": 15.0}}, "backlog_rows": 3,
                       "clock": "synced", "clock_source": "fleet", "clock_off_s": -64_800.25}),
    (messages.Readiness, {"verdict": "attention", "at": NOW, "state": "idle", "signals": [
        {"id": "camera.covered", "role": "front", "severity": "attention", "since": NOW, "evidence": {"n": 0.98}}]}),
    (messages.LedgerBatch, {"epoch": EPOCH, "first": 1, "prev": EPOCH, "rows": [{"body": "{}", "hash": "0" * 64}]}),
    (messages.LedgerAck, {"epoch": EPOCH, "through": 7, "hash": "0" * 64}),
    (messages.LedgerAck, {"epoch": EPOCH, "replay_from": 1}),
    (messages.LedgerAck, {"epoch": EPOCH, "fork_at": 4}),
    (Schedule, {"revision": 4, "as_of": NOW, "bookings": [
        {"id": "b-0900", "start": NOW, "planned_ms": 1_800_000, "therapist": "th-lane", "students": ["s-0418"],
         "model": "push-in", "needs": ["overhead"]}], "cards": {"10": "s-0418", "11": "s-0502"}}),
    (messages.Config, {"revision": 2, "settings": {"language": "es"}}),
    (messages.Command, {"id": "9d0a7b34", "name": "preflight", "args": {}, "expires_at": NOW, "epoch": EPOCH}),
    (messages.Reply, {"id": "9d0a7b34", "ok": False, "error": "expired"}),
    (messages.Echo, {"from": "kiosk", "n": 5}),
    (messages.Echo, {"from": "fleet", "n": 5, "at": NOW}),
]  # fmt: skip


@pytest.mark.parametrize(("model", "value"), SAMPLES)
def test_a_message_is_read_back_as_it_was_sent(model: type[WireModel], value: dict[str, Any]) -> None:
    message = model.model_validate(value)
    sent = encode(message)
    assert read(model, sent) == message
    told = decode(sent)
    assert {key: told[key] for key in value if key not in {"signals", "bookings"}} == {
        key: value[key] for key in value if key not in {"signals", "bookings"}
    }


@pytest.mark.parametrize(("model", "value"), SAMPLES)
def test_fields_of_a_later_version_are_ignored(model: type[WireModel], value: dict[str, Any]) -> None:
    later = value | {"mood": "sunny", "also": {"nested": [1, 2]}}
    assert model.model_validate(later) == model.model_validate(value)


@pytest.mark.parametrize(("model", "value"), SAMPLES)
def test_a_message_without_what_it_needs_is_refused(model: type[WireModel], value: dict[str, Any]) -> None:
    for name, field in model.model_fields.items():
        if field.is_required():
            less = {key: inner for key, inner in value.items() if key != (field.alias or name)}
            with pytest.raises(BadPayload, match=field.alias or name):
                read(model, encode_plain(less))


def encode_plain(value: dict[str, Any]) -> bytes:
    return encode(messages.Config(revision=1, settings=value)).split(b'"settings":', 1)[1][:-1]


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (messages.LedgerBatch, {"rows": []}),
        (messages.LedgerBatch, {"rows": [{"body": "{}", "hash": "0" * 64}] * 1_001}),
        (messages.LedgerBatch, {"first": 0}),
        (messages.LedgerBatch, {"epoch": "not an epoch"}),
        (messages.LedgerBatch, {"rows": [{"body": "x" * 16_385, "hash": "0" * 64}]}),
        (messages.LedgerBatch, {"rows": [{"body": "{}", "hash": "0" * 63 + "\n"}]}),
        (messages.Readiness, {"at": "2026-03-02T09:00:00"}),
        (messages.Readiness, {"verdict": "splendid"}),
        (messages.Command, {"id": "short"}),
        (messages.Echo, {"from": "nobody"}),
        (Schedule, {"bookings": [{"id": "b-0900", "start": NOW, "planned_ms": 0, "therapist": "th-lane"}]}),
        (Schedule, {"bookings": [{"id": "../b", "start": NOW, "planned_ms": 1, "therapist": "th-lane"}]}),
    ],
)
def test_what_breaks_a_bound_is_refused(model: type[WireModel], change: dict[str, Any]) -> None:
    value = next(value for known, value in SAMPLES if known is model)
    with pytest.raises(BadPayload):
        read(model, encode_plain(value | change))


BAD_CARDS: list[Any] = [
    {"10": "Ada"}, {"10": None}, {"10": 418}, {"10": "s-0418000"}, {"ten": "s-0418"}, {"-1": "s-0418"},
    {"50": "s-0418"}, {"010": "s-0418"}, {" 10": "s-0418"}, {"\u0661": "s-0418"}, ["s-0418"], "s-0418", 10, None,
]  # fmt: skip


@pytest.mark.parametrize("cards", BAD_CARDS)
def test_a_bad_card_loses_no_booking_and_is_complained_of_without_what_it_says(
    cards: Any, caplog: pytest.LogCaptureFixture
) -> None:
    value = next(value for known, value in SAMPLES if known is Schedule)
    good = {"11": "s-0502"}
    given = {**cards, **good} if isinstance(cards, dict) else cards
    schedule = read(Schedule, encode_plain(value | {"cards": given}))
    assert schedule.cards == ({11: "s-0502"} if isinstance(cards, dict) else {})
    assert [one.id for one in schedule.bookings] == ["b-0900"]
    assert len(caplog.records) == 1
    assert "left out" in caplog.text
    assert "Ada" not in caplog.text


def test_a_schedule_without_cards_has_none_and_a_kept_one_is_read_back() -> None:
    value = next(value for known, value in SAMPLES if known is Schedule)
    assert Schedule.model_validate({key: value[key] for key in value if key != "cards"}).cards == {}
    schedule = Schedule.model_validate(value)
    assert schedule.cards == {10: "s-0418", 11: "s-0502"}
    assert Schedule.model_validate(schedule.model_dump(mode="json")) == schedule


def test_the_echo_says_from_on_the_wire() -> None:
    assert decode(encode(messages.Echo(sender="kiosk", n=1))) == {"from": "kiosk", "n": 1, "at": None}
    assert read(messages.Echo, b'{"from": "fleet", "n": 1}').at is None, "a fleet of before told no time"
