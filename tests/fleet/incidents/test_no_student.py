"""No student reference gets into a notice, whatever a kiosk sends: shown by what a notice cannot depend on."""

import json
import re
from dataclasses import fields
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fleet.channels import Mail
from fleet.clock import SystemClock
from fleet.courier import notice_of
from fleet.notice_settings import Smtp
from fleet.notice_words import letter, payload
from fleet.notices import Kind, Notice, To, room_name
from fleet.own_signals import OWN
from fleet.store.incident_tables import notices
from tests.fleet.incidents.test_due import Hours
from wire.ids import ID_PATTERN, STUDENT_PATTERN
from wire.signal_table import SIGNALS
from wire.signals import Severity

AT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
INCIDENT = "0b0c7c2e-5c0f-4a52-9a43-0d7b5e0f8c11"
URL = f"https://fleet.example/incidents/{INCIDENT}"

students = st.from_regex(STUDENT_PATTERN, fullmatch=True)
ids = st.from_regex(ID_PATTERN, fullmatch=True)
anything = st.one_of(
    students,
    st.text(max_size=60),
    st.tuples(st.text(max_size=20), students, st.text(max_size=20)).map(" ".join),
    st.tuples(students, st.text(max_size=20)).map("".join),
)


def notice(**told: Any) -> Notice:
    base: dict[str, Any] = {
        "id": "n-1", "kind": Kind.OPENED, "incident": INCIDENT, "kiosk": "lincoln-12", "campus": "lincoln",
        "room": "Room 12", "signal": "camera.covered", "role": "overhead", "severity": Severity.ATTENTION, "opening": 1,
        "since": AT, "at": AT, "flapping": False, "to": To.IT,
    }  # fmt: skip
    return Notice(**base | told)


def everything(one: Notice) -> str:
    """All the text that leaves for it: the whole mail, and the webhook's body."""
    mail: EmailMessage = Mail(
        Smtp(host="localhost", security="none", sender="carrel@school.example"), SystemClock()
    )._mail(one, "it@school.example", URL)
    shown = f"{mail['Subject']}\n{mail.get_content()}"
    told = letter(one, URL)
    return f"{shown}\n{told.subject}\n{told.text}\n{json.dumps(payload(one, URL))}"


def leaks(text: str, one: Notice) -> list[str]:
    """What looks like a student reference and is neither the kiosk, nor its campus, nor an address made of ids."""
    for known in (URL, INCIDENT, one.kiosk, one.campus):
        text = re.sub(
            rf"(?<![A-Za-z0-9-]){re.escape(known)}(?![A-Za-z0-9-])", " ", text
        )  # whole: no part of a longer one
    return re.findall(rf"(?<![A-Za-z0-9]){STUDENT_PATTERN}(?![0-9])", text, re.IGNORECASE)


@given(
    signal=st.one_of(st.sampled_from(sorted({**SIGNALS, **OWN})), anything),
    role=st.one_of(st.none(), st.sampled_from(["overhead", "front"]), anything),
    room=st.one_of(st.none(), anything),
    kiosk=ids,
    kind=st.sampled_from(Kind),
    to=st.sampled_from(To),
    flapping=st.booleans(),
)
def test_whatever_a_kiosk_says_no_reference_leaves(**told: Any) -> None:
    one = notice(**told)
    assert leaks(everything(one), one) == []


@given(students)
def test_the_check_itself_can_fail(student: str) -> None:
    one = notice()
    assert leaks(f"{everything(one)} {student}", one) == [student]


@given(students)
def test_a_kiosk_may_be_named_like_a_student_and_is_still_named(kiosk: str) -> None:
    assert f"kiosk {kiosk}" in letter(notice(kiosk=kiosk, room=None), URL).text


@given(anything)
def test_a_room_that_looks_like_a_student_is_called_by_its_kiosk(room: str) -> None:
    shown = room_name(room, "lincoln-12")
    assert shown in {"lincoln-12", room.strip()[:80]}
    assert not re.search(rf"(?<![A-Za-z0-9]){STUDENT_PATTERN}(?![0-9])", shown)


def test_a_notice_has_no_field_for_evidence_sessions_or_bookings() -> None:
    named = {one.name for one in fields(Notice)} | {column.name for column in notices.c}
    assert not {name for name in named if re.search("evidence|detail|student|booking|session|reason|remedy", name)}


class _Row:
    """A row of the outbox that would also answer to anything else."""

    def __init__(self, **told: Any) -> None:
        self.__dict__ |= told
        self.read: set[str] = set()

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("__") and name != "read":
            self.read.add(name)
        return super().__getattribute__(name)


def test_a_notice_is_made_of_the_outbox_alone() -> None:
    row = _Row(
        id="n-1", kind="incident.opened", incident=INCIDENT, kiosk="lincoln-12", campus="lincoln", room=None,
        signal="camera.dark", role="front", severity="attention", opening=1, since_us=0, created_us=0, flapping=False,
        to_role="it",
    )  # fmt: skip
    assert notice_of(row, Hours()).signal == "camera.dark"
    assert row.read <= {column.name for column in notices.c}
