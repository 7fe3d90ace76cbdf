"""Identifiers and topics: what is built parses back, and nothing else passes."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from wire.errors import BadTopic
from wire.ids import ID_PATTERN, Id, StudentRef, is_id
from wire.topics import FROM_FLEET, FROM_KIOSK, ROOT, Channel, Topic, every_kiosk

IDS = st.from_regex(ID_PATTERN, fullmatch=True)
_ID: TypeAdapter[str] = TypeAdapter(Id)
_STUDENT: TypeAdapter[str] = TypeAdapter(StudentRef)

NO_IDS = [
    "", "a", "ab", "-ab", "ab-", "A-room", "a_b", "a b", "a.b", "a" * 41, "+", "#", "a/b", "abc/", "a+c", "a#c", "$SYS",
    "ab\0c", "abc\0", "abc\n", "\nabc", "\uff41bc", "\u0430-room", "ro\u2011om", "r\u00f6\u00f6m", "a\u0663c",
    "..", "con../", "%2e%2e",
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(IDS, IDS, st.sampled_from(Channel))
def test_what_is_built_parses_back(campus: str, kiosk: str, channel: Channel) -> None:
    topic = Topic(campus, kiosk, channel)
    assert Topic.parse(str(topic)) == topic
    assert re.fullmatch(every_kiosk(channel).replace("+", "[^/]+"), str(topic))


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=60) | st.builds("/".join, st.lists(st.sampled_from(["carrel", "v1", "abc", "", "ack", "+", "#"])))
)
def test_any_text_is_a_topic_of_this_contract_or_a_bad_one(text: str) -> None:
    try:
        topic = Topic.parse(text)
    except BadTopic:
        return
    assert str(topic) == text


@settings(max_examples=60, deadline=None)
@given(IDS)
def test_every_id_of_the_pattern_is_one_for_the_models_too(text: str) -> None:
    assert is_id(text)
    assert _ID.validate_python(text) == text


@pytest.mark.parametrize("text", NO_IDS)
def test_what_would_leave_its_place_in_a_topic_is_no_id(text: str) -> None:  # M7
    assert not is_id(text)
    with pytest.raises(ValidationError):
        _ID.validate_python(text)
    for parts in ((text, "kiosk-1"), ("campus-1", text)):
        with pytest.raises(BadTopic):
            Topic.parse(f"{ROOT}/{'/'.join(parts)}/presence")


@pytest.mark.parametrize(
    "text",
    [
        "", "/", "carrel/v1", "carrel/v1/abc/def", "carrel/v1/abc/def/", "carrel/v2/abc/def/presence",
        "/carrel/v1/abc/def/presence", "carrel/v1/abc/def/presence/", "carrel/v1/abc/def/ledger/ack/more",
        "carrel/v1/abc/def/Presence", "carrel/v1//def/presence", "x" * 70_000,
    ],
)  # fmt: skip
def test_another_form_is_no_topic(text: str) -> None:
    with pytest.raises(BadTopic):
        Topic.parse(text)


@pytest.mark.parametrize("text", ["s-123", "s-123456", "ab-0418"])
def test_an_opaque_reference_names_a_student(text: str) -> None:
    assert _STUDENT.validate_python(text) == text


@pytest.mark.parametrize(
    "text", ["s-12", "s-1234567", "1234567", "s-", "abc-123", "S-123", "s-12a", "s-123\n", "s-\u0663\u0663\u0663"]
)
def test_anything_longer_could_be_a_district_id_and_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        _STUDENT.validate_python(text)


def test_every_channel_has_a_sender() -> None:
    assert {*FROM_KIOSK, *FROM_FLEET} == set(Channel)
    assert {*FROM_KIOSK} & {*FROM_FLEET} == {Channel.ECHO}
