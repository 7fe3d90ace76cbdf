"""Worksheet stills at the fleet: sealed, shown to few, each view written down first, destroyed in time."""

import base64
import fcntl
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nacl.public import PrivateKey

from fleet.access.roles import Role
from fleet.segment_keys import SegmentKeys
from fleet.store import audit
from tests.fleet.calling import Caller
from tests.fleet.test_api import problem
from tests.fleet.worksheets import arrives, asks, jpeg, sealed, told
from tests.fleet.world import Fleet, Kiosk, running_fleet
from wire.messages import Reply
from wire.stills import StillReply, hash_of
from wire.topics import Channel


def seen(fleet: Fleet, what: str = "still.viewed") -> list[tuple[str, str | None]]:
    """Who and which still, by the audit, oldest first."""
    with fleet.database.read() as connection:
        audit.verify(connection)
        return [(row.who, row.about) for row in reversed(audit.newest(connection, 1000)) if row.what == what]


def figures(caller: Caller, still: str) -> dict[str, Any]:
    answer = caller.get(f"/api/v1/stills/{still}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("fleet.sqlite*")))


# Asking


def test_what_is_asked_for_reaches_the_kiosk_whole(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    fleet.take(kiosk.is_born())
    asks(caller, kiosk)
    asks(caller, kiosk, args={"view": "worksheet"})
    sent = fleet.post.to(kiosk, Channel.COMMAND)
    assert [(one["name"], one["args"]) for one in sent] == [("still", {"role": "overhead", "view": "worksheet"})] * 2


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"name": "still", "args": {"role": "front"}}, "child's face"),
        ({"name": "still", "args": {"view": "picture"}}, "'worksheet'"),
        ({"name": "still", "args": {"zoom": 2}}, "takes no 'zoom'"),
        ({"name": "identify", "args": {"role": "overhead"}}, "takes none"),
    ],
)
def test_what_may_not_be_asked_for_is_refused_in_words(
    fleet: Fleet, caller: Caller, kiosk: Kiosk, body: dict[str, Any], words: str
) -> None:
    fleet.take(kiosk.is_born())
    answer = caller.client.post(f"/api/v1/kiosks/{kiosk.id}/commands", json=body, headers=caller.token())
    detail = problem(answer, 422)
    assert words in detail["detail"]
    assert detail["errors"][0]["field"] == "args"
    assert fleet.post.to(kiosk, Channel.COMMAND) == []


def test_a_refusal_is_told_with_its_word_and_sentence(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    fleet.take(kiosk.is_born())
    command = asks(caller, kiosk)
    fleet.take(kiosk.says(Channel.REPLY, Reply(id=command, ok=False, error="no-consent", detail="Not every student.")))
    answer = caller.get(f"/api/v1/kiosks/{kiosk.id}/commands/{command}").json()
    assert answer["reply"] == {"ok": False, "result": None, "error": "no-consent", "detail": "Not every student."}
    assert answer["still"] is None
    problem(caller.get(f"/api/v1/stills/{command}"), 404)


# What comes


def test_a_still_comes_with_its_figures_and_its_picture_lies_sealed(
    fleet: Fleet, caller: Caller, kiosk: Kiosk, tmp_path: Path
) -> None:
    still = arrives(fleet, caller, kiosk)
    answer = caller.get(f"/api/v1/kiosks/{kiosk.id}/commands/{still}").json()
    assert answer["still"] == f"/api/v1/stills/{still}"
    assert answer["reply"]["result"]["px_per_mm"] == 3.9
    assert "sealed" not in json.dumps(answer)
    one = figures(caller, still)
    assert (one["px_per_mm"], one["sharp"], one["unusable"], one["destroyed_at"]) == (3.9, True, None, None)
    assert one["hash"] == hash_of(jpeg())
    assert one["image"] == f"/api/v1/stills/{still}/image.jpg"
    assert caller.get(f"/api/v1/sessions/{one['session']}/stills").json() == {"items": [one], "next": None}

    picture = caller.get(one["image"], caller.token(Role.THERAPIST))
    assert picture.content == jpeg()
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.headers["cache-control"] == "no-store"
    assert picture.headers["x-pixels-per-millimetre"] == "3.900"

    kept = on_disk(tmp_path)
    assert hash_of(jpeg()).encode() in kept, "it is the very file that is looked through"
    assert b"JFIF" not in kept
    for start in range(0, len(jpeg()) - 24, 401):
        assert jpeg()[start : start + 24] not in kept


def test_without_a_scale_none_is_told(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    still = arrives(fleet, caller, kiosk, scale=None)
    one = figures(caller, still)
    assert (one["origin"], one["px_per_mm"], one["sharp"]) == ("page", None, None)
    picture = caller.get(one["image"], caller.token(Role.PORTAL))
    assert picture.status_code == 200
    assert "x-pixels-per-millimetre" not in picture.headers


def test_the_same_reply_again_or_another_one_changes_nothing(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    still = arrives(fleet, caller, kiosk)
    before = figures(caller, still)
    again = told(fleet, before["session"], 2.0)
    for _ in range(2):
        fleet.take(kiosk.says(Channel.REPLY, Reply(id=still, ok=True, result=again)))
    stranger = Kiosk("grant-2", "grant")
    fleet.take(stranger.is_born(), stranger.says(Channel.REPLY, Reply(id=still, ok=True, result=again)))
    assert figures(caller, still) == before


def test_stills_of_a_session_newest_first_in_pages(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    first = arrives(fleet, caller, kiosk)
    session = figures(caller, first)["session"]
    made = [first]
    for _ in range(2):
        fleet.clock.pass_(1)
        command = asks(caller, kiosk)
        fleet.take(kiosk.says(Channel.REPLY, Reply(id=command, ok=True, result=told(fleet, session))))
        made.append(command)
    one = caller.get(f"/api/v1/sessions/{session}/stills?limit=2").json()
    two = caller.get(f"/api/v1/sessions/{session}/stills?limit=2&cursor={one['next']}").json()
    assert [item["id"] for item in [*one["items"], *two["items"]]] == made[::-1]
    assert two["next"] is None
    problem(caller.get("/api/v1/sessions/none/stills"), 404)


# What cannot be used


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"hash": "00" * 32}, "not the picture"),
        ({"bytes": 7}, "not the picture"),
        ({"sealed": sealed(bytes(PrivateKey.generate().public_key), jpeg())}, "does not open"),
        ({"sealed": base64.b64encode(b"short").decode()}, "does not open"),
        ({"key_id": "0" * 16}, "a key that this fleet does not hold"),
        ({"width_px": 467}, "another size"),
        ({"role": "front"}, "not what was asked for"),
        ({"view": "picture"}, "not what was asked for"),
        ({"px_per_mm": -1}, "figures cannot be read: px_per_mm"),
        ({"sealed": "%%%"}, "figures cannot be read"),
        ({"sealed": None}, "figures cannot be read: sealed"),
        ({"session": None}, "figures cannot be read: session"),
        ({"key_id": "../../fleet"}, "figures cannot be read: key_id"),
        ({"captured_at": "9999-12-31T23:59:59-14:00"}, "figures cannot be read"),
    ],
)
def test_a_still_that_is_not_what_it_says_is_kept_as_unusable_and_never_shown(
    fleet: Fleet, caller: Caller, kiosk: Kiosk, changes: dict[str, Any], why: str
) -> None:
    still = arrives(fleet, caller, kiosk, **changes)
    one = figures(caller, still)
    assert why in one["unusable"]
    assert one["image"] is None
    refused = problem(caller.get(f"/api/v1/stills/{still}/image.jpg", caller.token(Role.THERAPIST)), 409)
    assert why in refused["detail"]
    assert seen(fleet) == []


def test_a_picture_that_is_no_jpeg_is_not_shown(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    page = b"<html><script>alert(1)</script>"
    key = SegmentKeys(fleet.parts.settings.segment_keys_dir)
    public = bytes((key.current() or key.make(fleet.clock.now().at)).private.public_key)
    still = arrives(fleet, caller, kiosk, bytes=len(page), hash=hash_of(page), sealed=sealed(public, page))
    assert "no JPEG" in figures(caller, still)["unusable"]


def test_a_kiosk_cannot_put_a_picture_into_another_kiosks_session(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    other = Kiosk("grant-2", "grant")
    session = other.press()
    fleet.take(other.is_born(), other.sends())
    still = arrives(fleet, caller, kiosk, session=session)
    assert "another kiosk's" in figures(caller, still)["unusable"]
    assert caller.get(f"/api/v1/sessions/{session}/stills").json()["items"] == []


_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(st.sampled_from(sorted(StillReply.model_fields)), _JSON, min_size=1, max_size=4))
def test_whatever_a_kiosk_tells_the_ingest_lives_and_no_other_picture_is_shown(
    fleet: Fleet, caller: Caller, kiosk: Kiosk, changes: dict[str, Any]
) -> None:
    still = arrives(fleet, caller, kiosk, **changes)
    one = figures(caller, still)
    if one["image"] is not None:
        assert caller.get(one["image"], caller.token(Role.THERAPIST)).content == jpeg()
    assert fleet.ingest.works


def test_a_key_that_others_may_read_is_not_used_and_the_picture_waits(
    fleet: Fleet, caller: Caller, kiosk: Kiosk
) -> None:
    session = kiosk.press()
    fleet.take(kiosk.is_born(), kiosk.sends())
    still, result = asks(caller, kiosk), told(fleet, session)
    [key] = fleet.parts.settings.segment_keys_dir.glob("*.key")
    key.chmod(0o644)
    fleet.take(kiosk.says(Channel.REPLY, Reply(id=still, ok=True, result=result)))
    assert figures(caller, still)["unusable"] is None
    address, headers = f"/api/v1/stills/{still}/image.jpg", caller.token(Role.THERAPIST)
    assert "key" in problem(caller.get(address, headers), 503)["detail"]
    key.chmod(0o600)
    assert caller.get(address, headers).content == jpeg()


# Who sees


@pytest.mark.parametrize(
    ("role", "asks_", "reads", "sees"),
    [
        (Role.THERAPIST, 202, 200, 200),
        (Role.PORTAL, 202, 200, 200),
        (Role.SERVICE, 202, 200, 403),
        (Role.IT, 202, 200, 403),
        (Role.AUDITOR, 403, 200, 403),
        (Role.AIDE, 403, 403, 403),
    ],
)
def test_who_may_ask_read_figures_and_see_pictures(
    fleet: Fleet, caller: Caller, kiosk: Kiosk, role: Role, asks_: int, reads: int, sees: int
) -> None:
    still = arrives(fleet, caller, kiosk)
    headers = caller.token(role, "lincoln")
    sent = caller.client.post(f"/api/v1/kiosks/{kiosk.id}/commands", json={"name": "still"}, headers=headers)
    assert sent.status_code == asks_
    assert caller.get(f"/api/v1/stills/{still}", headers).status_code == reads
    session = figures(caller, still)["session"]
    assert caller.get(f"/api/v1/sessions/{session}/stills", headers).status_code == reads
    assert caller.get(f"/api/v1/stills/{still}/image.jpg", headers).status_code == sees
    assert len(seen(fleet)) == (sees == 200)


def test_another_campus_has_no_such_still(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    still = arrives(fleet, caller, kiosk)
    session = figures(caller, still)["session"]
    headers = caller.token(Role.THERAPIST, "grant")
    for path in (f"stills/{still}", f"stills/{still}/image.jpg", f"sessions/{session}/stills"):
        problem(caller.get(f"/api/v1/{path}", headers), 404)
    assert seen(fleet) == []


def test_p3_each_view_is_in_the_audit_and_without_that_there_is_none(
    fleet: Fleet, caller: Caller, kiosk: Kiosk, tmp_path: Path
) -> None:
    still = arrives(fleet, caller, kiosk)
    address, headers = f"/api/v1/stills/{still}/image.jpg", caller.token(Role.THERAPIST, "lincoln")
    assert caller.get(address, headers).status_code == 200
    assert caller.get(address, headers).status_code == 200
    assert seen(fleet) == [("therapist of lincoln", still)] * 2
    with (tmp_path / "fleet.sqlite.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another process writes without end
        refused = caller.get(address, headers)
        assert "written down" in problem(refused, 503)["detail"]
        assert b"JFIF" not in refused.content
    assert caller.get(address, headers).status_code == 200
    assert len(seen(fleet)) == 3
    with fleet.database.write() as connection:
        connection.exec_driver_sql("alter table audit rename to audit_gone")
    assert caller.get(address, headers).status_code >= 500
    assert b"JFIF" not in caller.get(address, headers).content


# What is destroyed


def test_not_this_student_destroys_the_picture_in_the_same_transaction(
    fleet: Fleet, caller: Caller, kiosk: Kiosk, tmp_path: Path
) -> None:
    still = arrives(fleet, caller, kiosk)
    with fleet.database.read() as connection:
        [lies] = connection.exec_driver_sql("select sealed from stills").scalars()
    assert lies[100:200] in on_disk(tmp_path)
    session = figures(caller, still)["session"]
    kiosk.write("student.wrong", session, student=None)
    fleet.take(kiosk.sends())
    one = figures(caller, still)
    assert (one["destroyed_why"], one["image"], one["px_per_mm"]) == ("not-this-student", None, 3.9)
    answer = problem(caller.get(f"/api/v1/stills/{still}/image.jpg", caller.token(Role.THERAPIST)), 410)
    assert "another student" in answer["detail"]
    assert seen(fleet, "still.destroyed") == [("fleet", still)]
    for start in range(0, len(lies) - 32, 32):
        assert lies[start : start + 32] not in on_disk(tmp_path)


def test_a_picture_that_comes_after_those_words_is_not_kept(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    session = kiosk.press()
    kiosk.write("student.wrong", session, student=None)
    fleet.take(kiosk.is_born(), kiosk.sends())
    command = asks(caller, kiosk)
    fleet.take(kiosk.says(Channel.REPLY, Reply(id=command, ok=True, result=told(fleet, session))))
    assert figures(caller, command)["destroyed_why"] == "not-this-student"


def test_another_bookings_card_destroys_nothing(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    still = arrives(fleet, caller, kiosk)
    session = figures(caller, still)["session"]
    kiosk.write("student.wrong", session, student="s-0500", by="card", card=7)
    fleet.take(kiosk.sends())
    assert figures(caller, still)["destroyed_at"] is None
    kiosk.write("student.wrong", session, student=None)
    fleet.take(kiosk.sends())
    assert figures(caller, still)["destroyed_why"] == "not-this-student"


def test_while_somebody_reads_the_journal_waits_and_is_emptied_later(
    fleet: Fleet, caller: Caller, kiosk: Kiosk, tmp_path: Path
) -> None:
    still = arrives(fleet, caller, kiosk)
    with fleet.database.read() as reader:
        lies = reader.exec_driver_sql("select sealed from stills").scalar_one()
        kiosk.write("student.wrong", figures(caller, still)["session"], student=None)
        fleet.take(kiosk.sends())
        assert figures(caller, still)["destroyed_at"] is not None
        assert not fleet.database.forget()
        assert lies[100:200] in on_disk(tmp_path)
    fleet.settle()
    assert lies[100:200] not in on_disk(tmp_path)
    assert fleet.ingest.works


def test_another_sessions_pictures_stay(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    still = arrives(fleet, caller, kiosk)
    other = kiosk.press()
    kiosk.write("student.wrong", other, student=None)
    stranger = Kiosk("grant-2", "grant")
    stranger.write("student.wrong", figures(caller, still)["session"], student=None)
    fleet.take(kiosk.sends(), stranger.is_born(), stranger.sends())
    assert figures(caller, still)["destroyed_at"] is None


def test_pictures_are_kept_as_long_as_the_settings_say(
    tmp_path: Path, kiosk: Kiosk, server: tuple[FastAPI, httpx.Client]
) -> None:
    app, client = server
    with running_fleet(tmp_path / "short", keep_stills_days=2) as fleet:
        app.state.fleet = fleet.parts
        caller = Caller(fleet, client)
        still = arrives(fleet, caller, kiosk)
        fleet.clock.pass_(timedelta(days=2).total_seconds() - 60)
        fleet.settle()
        assert figures(caller, still)["destroyed_at"] is None
        fleet.clock.pass_(3_700)
        fleet.settle()
        assert figures(caller, still)["destroyed_why"] == "age"
        assert seen(fleet, "still.destroyed") == [("fleet", still)]
        assert b"JFIF" not in on_disk(tmp_path / "short")
