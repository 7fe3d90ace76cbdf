"""The ingest: nothing bad gets in, nothing good is lost, nothing is answered that is not kept."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from fleet.inbox import Inbox
from fleet.incoming import Raw
from fleet.presence import Reach
from fleet.store import sessions
from fleet.store.engine import Database
from tests.fleet.world import Fleet, HandClock, Kiosk, running_fleet
from wire.codec import MAX_PAYLOAD_BYTES
from wire.minutes import Minutes
from wire.signals import Verdict
from wire.topics import Channel

NO_LUNCH = {
    "sqlite": "create trigger fussy before insert on ledger_rows when new.type = 'lunch.served' "
    "begin select raise(abort, 'no lunch'); end",
    "postgresql": "alter table ledger_rows add constraint fussy check (type <> 'lunch.served')",
}


@contextmanager
def locked(database: Database) -> Iterator[None]:
    """Another program holds the database's write lock."""
    path = database.path
    assert path is not None
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("begin immediate")
        yield
        connection.execute("rollback")
    finally:
        connection.close()


def works(fleet: Fleet) -> bool:
    return fleet.ingest.works


HOSTILE = {
    "not UTF-8": b"\xff\xfe{}",
    "not JSON": b"{",
    "NaN": b'{"from": "kiosk", "n": NaN}',
    "too large a float": b'{"from": "kiosk", "n": 1e999}',
    "a key twice": b'{"from": "kiosk", "n": 1, "n": 2}',
    "100,000 nested lists": b"[" * 100_000,
    "an integer of 5,000 digits": b'{"from": "kiosk", "n": ' + b"9" * 5_000 + b"}",
    "an integer over 64 bits": b'{"from": "kiosk", "n": 9999999999999999999}',
    "a list": b"[1]",
    "nothing": b"",
    "NUL": rb'{"from": "kiosk", "n": 1, "x": "\u0000"}',
    "half a character": rb'{"from": "kiosk", "n": 1, "x": "\ud800"}',
}


@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("channel", ["echo", "ledger", "health", "readiness", "presence", "reply"])
def test_m2_what_does_not_parse_is_counted_and_dropped(
    fleet: Fleet, kiosk: Kiosk, channel: str, payload: bytes
) -> None:
    fleet.take(kiosk.says(Channel(channel), payload), kiosk.asks(5))
    assert fleet.dropped("malformed") == 1
    assert [echo["n"] for echo in fleet.post.to(kiosk, Channel.ECHO)] == [5]


def test_m3_a_large_payload_is_refused_by_its_size(fleet: Fleet, kiosk: Kiosk) -> None:
    fleet.take(kiosk.says(Channel.LEDGER, b" " * (MAX_PAYLOAD_BYTES + 1)))
    assert fleet.dropped("too_large") == 1


@pytest.mark.parametrize(
    "topic",
    ["", "carrel/v2/lincoln/lincoln-12/echo", "carrel/v1/lincoln/../echo", "carrel/v1/lincoln/lincoln-12/secrets", "?"],
)
def test_a_foreign_topic_is_counted_and_dropped(fleet: Fleet, topic: str) -> None:
    fleet.take(Raw(topic, b"{}"))
    assert fleet.dropped("topic") == 1


def test_what_the_fleet_itself_says_is_not_taken_from_a_kiosk(fleet: Fleet, kiosk: Kiosk) -> None:
    fleet.take(kiosk.says(Channel.LEDGER_ACK, b'{"epoch": "x", "through": 3}'))
    assert fleet.dropped("malformed") == 1


def test_a_kiosk_belongs_to_the_campus_where_it_was_first_heard(fleet: Fleet, kiosk: Kiosk) -> None:
    thief = Kiosk(id=kiosk.id, campus="franklin")
    thief.write("help.asked")
    fleet.take(kiosk.asks(), thief.sends())
    assert fleet.dropped("foreign") == 1
    assert fleet.held(thief) == []


def test_a_streak_of_bad_messages_is_logged_once(fleet: Fleet, kiosk: Kiosk, caplog: pytest.LogCaptureFixture) -> None:
    def warnings() -> int:
        return sum(record.levelname == "WARNING" for record in caplog.records)

    bad = kiosk.says(Channel.HEALTH, b"{")
    fleet.take(bad, bad, bad)
    assert warnings() == 1
    assert kiosk.topic(Channel.HEALTH) in caplog.text
    fleet.take(kiosk.is_healthy(), bad)
    assert warnings() == 2
    assert fleet.dropped("malformed") == 4


def test_a_flood_is_bounded_and_counted(fleet: Fleet, kiosk: Kiosk) -> None:
    inbox = Inbox(most_messages=3)
    for _ in range(5):
        inbox.put(kiosk.asks())
    assert (len(inbox.take(10, 0)), inbox.take_dropped()) == (3, 2)
    heavy = Inbox(most_bytes=10)
    for _ in range(5):
        heavy.put(Raw("t", b"123456"))
    assert (len(heavy.take(10, 0)), heavy.take_dropped()) == (2, 3)


def test_an_echo_is_answered_when_the_store_works(fleet: Fleet, kiosk: Kiosk) -> None:
    fleet.take(kiosk.asks(41))
    (answer,) = fleet.post.to(kiosk, Channel.ECHO)
    assert (answer["from"], answer["n"]) == ("fleet", 41)
    assert datetime.fromisoformat(answer["at"]) == fleet.clock.now().at, "its time, for a kiosk without NTP"


def test_what_is_of_the_moment_does_not_wait_behind_a_backlog(fleet: Fleet, kiosk: Kiosk) -> None:
    """An echo behind 200 kiosks' rows would be answered when its own kiosk had long called the link down."""
    fleet.take(kiosk.asks(1))
    other = Kiosk("lincoln-14")
    for _ in range(40):
        other.write("help.asked")
    for seq in range(1, 41):
        fleet.inbox.put(other.sends(seq, seq))
    fleet.inbox.put(kiosk.asks(2))
    taken = fleet.inbox.take(10, 0)
    assert taken[0].topic == kiosk.topic(Channel.ECHO)
    assert [raw.topic for raw in taken[1:]] == [other.topic(Channel.LEDGER)] * 10, "and rows keep their order"


def test_a_transaction_is_bounded_by_bytes_so_that_the_next_echo_does_not_wait_for_a_large_one(kiosk: Kiosk) -> None:
    inbox = Inbox()
    for _ in range(20):
        inbox.put(kiosk.says(Channel.LEDGER, b"x" * 200_000))
    assert len(inbox.take(500, 0)) == 6
    inbox.put(kiosk.asks())
    assert inbox.take(500, 0)[0].topic == kiosk.topic(Channel.ECHO)
    assert inbox.is_empty is False


def test_our_own_echoes_are_not_answered(fleet: Fleet, kiosk: Kiosk) -> None:
    fleet.take(kiosk.says(Channel.ECHO, b'{"from": "fleet", "n": 1}'))
    assert fleet.post.sent == []
    assert fleet.parts.roll.get(kiosk.id) is None


@pytest.mark.sqlite
def test_while_the_store_is_locked_nothing_is_answered_and_nothing_is_lost(
    fleet: Fleet, kiosk: Kiosk, caplog: pytest.LogCaptureFixture
) -> None:
    kiosk.whole_session()
    with locked(fleet.database):
        for _ in range(3):
            fleet.take(kiosk.sends(), kiosk.asks(1), kiosk.is_ready())
            fleet.clock.pass_(6)
        assert fleet.post.sent == []
        assert not works(fleet)
        assert fleet.entry(kiosk).readiness is not None  # what is known of the moment is shown all the same
    assert sum(record.levelname == "ERROR" for record in caplog.records) == 1
    fleet.take(kiosk.asks(2))
    assert works(fleet)
    assert fleet.acks(kiosk)[-1]["through"] == kiosk.head
    assert [echo["n"] for echo in fleet.post.to(kiosk, Channel.ECHO)] == [2]  # the old one is not answered late
    assert len(fleet.held(kiosk)) == kiosk.head


@pytest.mark.sqlite
def test_a_full_disk_is_a_store_that_does_not_work(fleet: Fleet, kiosk: Kiosk) -> None:
    fleet.take(kiosk.asks())
    with fleet.database.write() as connection:
        pages = connection.exec_driver_sql("pragma page_count").scalar_one()
        connection.exec_driver_sql(f"pragma max_page_count = {pages}")
    for _ in range(300):
        kiosk.write("reason.given", reason="x" * 200)
    fleet.take(kiosk.sends())
    assert fleet.acks(kiosk) == []
    assert not works(fleet)
    with fleet.database.write() as connection:
        connection.exec_driver_sql("pragma max_page_count = 1000000")
    fleet.clock.pass_(10)
    fleet.take(kiosk.asks(2))
    assert fleet.acks(kiosk)[-1]["through"] == kiosk.head


def test_a_message_that_the_store_refuses_does_not_hold_up_the_others(fleet: Fleet, kiosk: Kiosk) -> None:
    with fleet.database.write() as connection:
        connection.exec_driver_sql(NO_LUNCH[connection.dialect.name])
    other = Kiosk(id="lincoln-13")
    kiosk.write("lunch.served")
    other.write("help.asked")
    fleet.take(kiosk.sends(), other.sends(), kiosk.asks(1))
    assert fleet.held(kiosk) == []
    assert fleet.acks(kiosk) == []
    assert fleet.acks(other)[-1]["through"] == 1
    assert fleet.dropped("store") == 1
    assert [echo["n"] for echo in fleet.post.to(kiosk, Channel.ECHO)] == [1]


def test_answers_that_cannot_be_sent_come_when_the_kiosk_sends_again(fleet: Fleet, kiosk: Kiosk) -> None:
    kiosk.write("help.asked")
    fleet.post.down = True
    fleet.take(kiosk.sends())
    fleet.post.down = False
    fleet.take(kiosk.sends())
    assert fleet.acks(kiosk)[-1]["through"] == 1


def test_births_deaths_and_silence_reach_the_roll(fleet: Fleet, kiosk: Kiosk) -> None:
    kiosk.birth = 3
    fleet.take(kiosk.is_born())
    assert fleet.entry(kiosk).presence.reach(fleet.clock.now()) is Reach.ONLINE
    fleet.take(kiosk.dies(birth=2))
    assert fleet.entry(kiosk).presence.reach(fleet.clock.now()) is Reach.ONLINE
    fleet.take(kiosk.dies())
    assert fleet.entry(kiosk).presence.reach(fleet.clock.now()) is Reach.OFFLINE
    kiosk.birth = 4
    fleet.take(kiosk.is_born())
    fleet.clock.pass_(46)
    assert fleet.entry(kiosk).presence.reach(fleet.clock.now()) is Reach.UNKNOWN


def test_what_a_restarted_fleet_knows(tmp_path: Path, kiosk: Kiosk) -> None:
    clock = HandClock()
    kiosk.birth = 9
    with running_fleet(tmp_path, clock) as before:
        kiosk.whole_session()
        before.take(kiosk.is_born(), kiosk.is_ready(Verdict.ATTENTION), kiosk.is_healthy(backlog_rows=3), kiosk.sends())
        before.settle()
    heard_at = clock.at - (clock.at - before.entry(kiosk).presence.heard.at)  # type: ignore[union-attr]  # it was heard
    clock.pass_(20)
    with running_fleet(tmp_path, clock) as after:
        entry = after.entry(kiosk)
        assert entry.presence.reach(clock.now()) is Reach.UNKNOWN
        assert entry.presence.heard is not None
        assert entry.presence.heard.at == heard_at
        assert entry.through == kiosk.head
        assert entry.readiness is not None
        assert entry.readiness.verdict is Verdict.ATTENTION
        after.take(kiosk.is_born(retained=True))
        assert after.entry(kiosk).presence.reach(clock.now()) is Reach.UNKNOWN
        after.take(kiosk.dies(birth=8))
        assert after.entry(kiosk).presence.reach(clock.now()) is Reach.UNKNOWN
        after.take(kiosk.asks())
        assert after.entry(kiosk).presence.reach(clock.now()) is Reach.ONLINE


def test_a_session_is_folded_and_adds_up(fleet: Fleet, kiosk: Kiosk) -> None:
    session = kiosk.whole_session()
    fleet.take(kiosk.sends(1, 3))
    fleet.settle()
    with fleet.database.read() as connection:
        line = sessions.one(connection, session)
    assert line is not None
    assert (line.state, line.complete) == ("paused", False)
    fleet.take(kiosk.sends(4))
    fleet.settle()
    with fleet.database.read() as connection:
        line = sessions.one(connection, session)
    assert line is not None
    assert (line.state, line.complete) == ("ended", True)
    minutes = Minutes.model_validate_json(line.minutes)
    assert minutes.elapsed_ms == minutes.running_ms + minutes.paused_ms + sum(minutes.interrupted_ms.values()) > 0


def test_a_session_is_complete_only_without_holes(fleet: Fleet, kiosk: Kiosk) -> None:
    kiosk.write("help.asked")
    session = kiosk.whole_session()
    fleet.take(kiosk.sends(2))
    fleet.settle()
    with fleet.database.read() as connection:
        line = sessions.one(connection, session)
    assert line is not None
    assert (line.state, line.complete) == ("ended", False)
    fleet.take(kiosk.sends(1, 1))
    fleet.settle()
    with fleet.database.read() as connection:
        line = sessions.one(connection, session)
    assert line is not None
    assert line.complete


def test_a_hole_that_closes_makes_only_those_sessions_due_whose_rows_waited_behind_it(
    fleet: Fleet, kiosk: Kiosk
) -> None:
    """With a backlog of weeks a hole closes with every batch; folding all that is open each time stood still."""
    kiosk.write("session.started", "open-before", by="button")
    fleet.take(kiosk.sends(1, 1))
    fleet.settle()
    kiosk.write("help.asked")
    session = kiosk.whole_session()
    fleet.take(kiosk.sends(3))
    fleet.settle()
    before = fleet.clock.mono_s
    fleet.clock.mono_s = float("-inf")  # no fold is due, so that what is due can be seen
    fleet.take(kiosk.sends(2, 2))
    fleet.clock.mono_s = before
    with fleet.database.read() as connection:
        assert [id_ for id_, _ in sessions.due(connection, 9)] == [session]


def test_folding_takes_turns_so_that_nobody_waits_for_a_thousand_sessions(fleet: Fleet, kiosk: Kiosk) -> None:
    for number in range(300):
        kiosk.write("session.started", f"s-{number:04}", by="button")
    fleet.clock.step_s = 0.03  # so slow a machine that three sessions take a turn
    fleet.take(kiosk.sends(1, 150), kiosk.sends(151))
    with fleet.database.read() as connection:
        left = len(sessions.due(connection, 1_000))
    assert 0 < 300 - left <= 5
    fleet.take(kiosk.asks(7))
    assert [echo["n"] for echo in fleet.post.to(kiosk, Channel.ECHO)] == [7]
    for _ in range(400):
        fleet.ingest.step(0.0)
    with fleet.database.read() as connection:
        assert sessions.due(connection, 1_000) == []


def test_rows_that_cannot_be_folded_make_a_session_unknown_not_an_error(fleet: Fleet, kiosk: Kiosk) -> None:
    kiosk.write("session.started", "s-1", by=5, planned_ms="soon")
    kiosk.write("session.started", "s-2", by="button")
    kiosk.mono_ns = 2**63 - 1_000_000_001
    kiosk.write("session.ended", "s-2", by="hold", boot=kiosk.boot, mono_ns=2**63 - 1, at="9999-12-31T23:59:59Z")
    fleet.take(kiosk.sends())
    fleet.settle()
    with fleet.database.read() as connection:
        lines = {row.id: row.state for row in sessions.newest(connection, limit=5)}
    assert lines["s-1"] == "unknown"
    assert set(lines) == {"s-1", "s-2"}


def test_a_crash_before_the_fold_is_made_good_at_the_next_start(tmp_path: Path, kiosk: Kiosk) -> None:
    session = kiosk.whole_session()
    with running_fleet(tmp_path) as before:
        before.clock.mono_s = float("-inf")  # no fold is due in this life
        before.take(kiosk.sends())
        with before.database.read() as connection:
            assert sessions.due(connection, 5) == [(session, kiosk.id)]
    with running_fleet(tmp_path) as after:
        after.take()
        with after.database.read() as connection:
            line = sessions.one(connection, session)
    assert line is not None
    assert line.complete


def test_health_is_kept_about_once_a_minute(fleet: Fleet, kiosk: Kiosk) -> None:
    for _ in range(9):
        fleet.take(kiosk.is_healthy(temperature_c=51.0))
        fleet.clock.pass_(15)
    with fleet.database.read() as connection:
        kept = connection.exec_driver_sql("select health from health_samples").all()
    assert len(kept) == 3
    assert json.loads(kept[0][0])["temperature_c"] == 51.0


def test_readers_are_told_of_changes_but_not_of_mere_echoes(fleet: Fleet, kiosk: Kiosk) -> None:
    fleet.take(kiosk.asks(1))
    fleet.changed.clear()
    fleet.clock.pass_(5)
    fleet.take(kiosk.asks(2))
    assert fleet.changed == []
    fleet.take(kiosk.is_ready())
    assert fleet.changed == [{kiosk.id}]
    fleet.changed.clear()
    fleet.clock.pass_(50)
    fleet.take(kiosk.asks(3))
    assert fleet.changed == [{kiosk.id}]  # it is online again
