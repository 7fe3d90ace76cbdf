"""The published contract is the one that the code keeps."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.wire.test_messages import SAMPLES
from wire.asyncapi import CHANNELS, document, text
from wire.codec import WireModel, decode, encode
from wire.ledger import EVENTS
from wire.topics import FROM_FLEET, FROM_KIOSK, Channel, Topic

COMMITTED = Path(__file__).parents[2] / "docs" / "asyncapi.json"
RETAINED = {Channel.PRESENCE, Channel.READINESS, Channel.SCHEDULE, Channel.CONFIG}
AT_MOST_ONCE = {Channel.HEALTH, Channel.ECHO}


def refs(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from refs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from refs(inner)


def test_the_committed_document_is_current() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == text(), "run: python -m wire.asyncapi > docs/asyncapi.json"


def test_every_channel_is_there_with_address_and_message() -> None:
    told = document()
    addresses = {one["address"] for one in told["channels"].values()}
    assert addresses == {str(Topic("{campus}", "{kiosk}", channel)) for channel in Channel}
    assert set(CHANNELS) == set(Channel)
    assert len(told["components"]["messages"]) == len(Channel)


def test_what_is_sent_and_received_and_how_is_that_of_the_contract() -> None:
    operations = document()["operations"]
    assert len(operations) == len(FROM_KIOSK) + len(FROM_FLEET)
    for action, channels in (("send", FROM_KIOSK), ("receive", FROM_FLEET)):
        for channel in channels:
            told = operations[f"{action}-{channel.value.replace('/', '-')}"]
            assert told["action"] == action
            how = told["bindings"]["mqtt"]
            assert how == {"qos": 0 if channel in AT_MOST_ONCE else 1, "retain": channel in RETAINED}


def test_every_reference_leads_somewhere() -> None:
    told = document()
    found = set(refs(told))
    assert found
    for ref in found:
        value: Any = told
        for part in ref.removeprefix("#/").split("/"):
            value = value[part]
        assert value


def test_every_ledger_type_is_published() -> None:
    assert set(document()["x-ledger-types"]) == set(EVENTS)


@pytest.mark.parametrize("name", sorted(document()["components"]["schemas"]))
def test_every_schema_is_valid_json_schema(name: str) -> None:
    Draft202012Validator.check_schema(document()["components"]["schemas"][name])


def patterns(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("pattern"), str):
            yield value["pattern"]
        for inner in value.values():
            yield from patterns(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from patterns(inner)


def test_patterns_are_those_of_json_schema() -> None:
    # ECMA-262 has no \\z: a reader of the document could not even compile it.
    assert not [pattern for pattern in patterns(document()) if r"\z" in pattern]


@pytest.mark.parametrize(("model", "value"), SAMPLES)
def test_what_is_sent_fits_the_published_schema(model: type[WireModel], value: dict[str, Any]) -> None:
    published = document()
    schema = {"$ref": f"#/components/schemas/{model.__name__}", "components": published["components"]}
    Draft202012Validator(schema).validate(decode(encode(model.model_validate(value))))


def test_the_document_is_plain_json() -> None:
    assert json.loads(text()) == document()
