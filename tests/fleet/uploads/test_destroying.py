"""Recordings that have to be gone: of another student, or of a consent that was taken back."""

import errno
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fleet.calling import Caller
from tests.fleet.sending import Sending, announced, no_segment, segment
from tests.fleet.test_api import problem
from tests.fleet.uploads.kit import gone, listed, on_disk, said_wrong
from tests.fleet.world import BEGAN, Fleet, Kiosk


def test_not_this_student_destroys_what_came_and_what_is_coming(
    fleet: Fleet, client: httpx.Client, caller: Caller, kiosk: Kiosk
) -> None:
    session = kiosk.press()
    whole, half = (announced(fleet, client, kiosk, session) for _ in range(2))
    other = announced(fleet, client, kiosk)
    for one in (whole, other):
        one.send()
    half.create()
    half.patch(0, half.file[:100_000])
    said_wrong(fleet, kiosk, session, by="card", card=3)
    assert whole.stored.exists(), "a card destroys nothing"
    said_wrong(fleet, kiosk, session)
    assert not whole.stored.exists()
    assert not half.part.exists()
    assert on_disk(fleet) == other.file
    assert sorted(gone(fleet)) == sorted([(whole.id, "not-this-student"), (half.id, "not-this-student")])
    assert (listed(caller, whole)["state"], listed(caller, whole)["destroyed_why"]) == ("destroyed", "not-this-student")
    assert problem(half.patch(100_000, half.file[100_000:]), 410)
    assert problem(half.create(), 410)
    assert half.ask()["reason"] == "not-this-student"
    assert on_disk(fleet) == other.file


def test_a_disk_that_refuses_to_destroy_stops_nothing_and_is_asked_again(
    fleet: Fleet, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending.send()
    with fleet.database.read() as connection:
        session = connection.exec_driver_sql("select session from segments").scalar_one()
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path == sending.stored:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        unlink(path, missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        said_wrong(fleet, sending.kiosk, session)
        assert sending.stored.exists()
        assert gone(fleet) == [], "what is still there is not called destroyed"
        assert fleet.acks(sending.kiosk)[-1]["through"] == sending.kiosk.head
    fleet.clock.pass_(3_601)
    fleet.settle()
    assert not sending.stored.exists()
    assert gone(fleet) == [(sending.id, "not-this-student")]


def test_nothing_comes_in_of_a_session_that_is_known_to_be_of_another(fleet: Fleet, client: httpx.Client) -> None:
    kiosk = Kiosk()
    session = kiosk.press()
    kiosk.write("student.wrong", session, student=None)
    assert announced(fleet, client, kiosk, session).ticket["reason"] == "not-this-student"


def test_a_piece_that_crosses_its_destruction_leaves_nothing(fleet: Fleet, sending: Sending) -> None:
    sending.create()
    sending.patch(0, sending.file[:-10])
    with fleet.database.read() as connection:
        session = connection.exec_driver_sql("select session from segments").scalar_one()
    grant = fleet.parts.uploads.grant(sending.ticket["token"], sending.id, fleet.clock.at)
    fleet.parts.uploads.segments.append(sending.id, len(sending.file) - 10, sending.file[-10:])
    said_wrong(fleet, sending.kiosk, session)  # between the last byte and its completion
    assert problem(sending.patch(len(sending.file), b""), 410)
    assert grant.segment == sending.id
    assert on_disk(fleet) == b""


def test_a_consent_that_is_taken_back_destroys_what_came_after_it(fleet: Fleet, client: httpx.Client) -> None:
    kiosk = Kiosk()
    sent: dict[str, Sending] = {}
    for name, student, minutes in (("before", "s-0418", 0), ("after", "s-0418", 10), ("other", "s-0502", 10)):
        session = no_segment()
        kiosk.write("session.started", session, by="button", students=[student], planned_ms=None)
        one = Sending(fleet, client, kiosk, segment(kiosk, session))
        one.write(session, started_at=(BEGAN + timedelta(minutes=minutes)).isoformat())
        fleet.take(kiosk.is_born(), kiosk.sends())
        one.ask()
        one.send()
        sent[name] = one
    with fleet.database.write() as connection:
        since = BEGAN + timedelta(minutes=5)
        arguments: dict[str, Any] = {"student": "s-0418", "since": since}
        assert fleet.parts.uploads.destroy_since(connection, fleet.clock.at, "consent-revoked", **arguments) == 1
    assert [name for name, one in sent.items() if one.stored.exists()] == ["before", "other"]
    assert gone(fleet) == [(sent["after"].id, "consent-revoked")]
    with fleet.database.write() as connection, pytest.raises(ValueError, match="name a student"):
        fleet.parts.uploads.destroy_since(connection, fleet.clock.at, "consent-revoked", kiosk=kiosk.id)
