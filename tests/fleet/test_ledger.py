"""Ledgers come in any order, any number of times, from cloned cards: no row is lost, doubled or invented."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet.store import sessions
from tests.fleet.world import Fleet, Kiosk, running_fleet
from wire.topics import Channel


def test_rows_are_acknowledged_through_the_last_with_its_hash(fleet: Fleet, kiosk: Kiosk) -> None:
    kiosk.whole_session()
    fleet.take(kiosk.sends())
    assert fleet.acks(kiosk) == [{"epoch": kiosk.epoch, "through": kiosk.head, "hash": kiosk.hash(kiosk.head)}]
    assert fleet.held(kiosk) == list(enumerate((row.hash for row in kiosk.rows), 1))


def test_the_same_rows_again_change_nothing_and_are_acknowledged_again(fleet: Fleet, kiosk: Kiosk) -> None:
    kiosk.whole_session()
    fleet.take(kiosk.sends())
    held = fleet.held(kiosk)
    fleet.take(kiosk.sends(), kiosk.sends(2, 3))
    assert fleet.held(kiosk) == held
    assert fleet.acks(kiosk)[-1]["through"] == kiosk.head


def test_rows_beyond_a_hole_are_kept_and_the_hole_is_asked_for(fleet: Fleet, kiosk: Kiosk) -> None:
    kiosk.whole_session()
    fleet.take(kiosk.sends(1, 2), kiosk.sends(4))
    assert [seq for seq, _ in fleet.held(kiosk)] == [1, 2, *range(4, kiosk.head + 1)]
    assert fleet.acks(kiosk) == [
        {"epoch": kiosk.epoch, "through": 2, "hash": kiosk.hash(2)},
        {"epoch": kiosk.epoch, "replay_from": 3},
    ]
    fleet.take(kiosk.sends(3, 3))
    assert fleet.acks(kiosk)[-1]["through"] == kiosk.head


def test_a_hole_is_asked_for_once_in_five_seconds(fleet: Fleet, kiosk: Kiosk) -> None:
    kiosk.whole_session()
    for seq in (3, 4, 5):
        fleet.take(kiosk.sends(seq, seq))
    assert fleet.acks(kiosk) == [{"epoch": kiosk.epoch, "replay_from": 1}]
    fleet.clock.pass_(5)
    fleet.take(kiosk.sends(6, 6))
    assert fleet.acks(kiosk) == [{"epoch": kiosk.epoch, "replay_from": 1}] * 2


def test_a_fleet_restored_from_a_backup_asks_for_what_it_lost(fleet: Fleet, kiosk: Kiosk) -> None:
    kiosk.whole_session()
    fleet.take(kiosk.sends(kiosk.head, kiosk.head))
    assert fleet.acks(kiosk) == [{"epoch": kiosk.epoch, "replay_from": 1}]


def test_a_fork_is_kept_on_both_sides_and_named_by_its_lowest_row(fleet: Fleet, kiosk: Kiosk) -> None:
    kiosk.whole_session()
    clone = kiosk.cloned()
    kiosk.write("help.asked")
    kiosk.write("button.freed")
    clone.write("button.freed")
    clone.write("help.asked")
    fleet.take(kiosk.sends())
    before = fleet.held(kiosk)
    fleet.post.sent.clear()
    fleet.take(clone.sends())
    forked_at = kiosk.head - 1
    assert fleet.acks(kiosk) == [{"epoch": kiosk.epoch, "fork_at": forked_at}]
    assert fleet.held(kiosk) == before
    assert fleet.put_aside(kiosk) == [(forked_at, clone.hash(forked_at)), (forked_at + 1, clone.hash(forked_at + 1))]


def test_a_kiosk_that_follows_from_another_row_is_led_back_to_where_it_differs(fleet: Fleet, kiosk: Kiosk) -> None:
    for _ in range(5):
        kiosk.write("help.asked")
    clone = kiosk.cloned()
    for _ in range(4):
        kiosk.write("help.asked")
        clone.write("button.freed")
    fleet.take(kiosk.sends())
    fleet.post.sent.clear()
    fleet.take(clone.sends(9))  # it believes that 6 to 8 are committed
    [asked] = fleet.acks(kiosk)
    assert asked == {"epoch": kiosk.epoch, "replay_from": 1}
    fleet.take(clone.sends(asked["replay_from"]))
    assert fleet.acks(kiosk)[-1] == {"epoch": kiosk.epoch, "fork_at": 6}


def test_a_kiosk_that_cannot_go_back_is_forked_where_it_stands(fleet: Fleet, kiosk: Kiosk) -> None:
    for _ in range(5):
        kiosk.write("help.asked")
    clone = kiosk.cloned()
    for _ in range(4):
        kiosk.write("help.asked")
        clone.write("button.freed")
    fleet.take(kiosk.sends())
    for _ in range(4):
        fleet.clock.pass_(6)
        fleet.take(clone.sends(9))
    assert {"epoch": kiosk.epoch, "fork_at": 8} in fleet.acks(kiosk)


def test_rows_that_waited_beyond_a_hole_count_only_if_they_follow(fleet: Fleet, kiosk: Kiosk) -> None:
    kiosk.write("help.asked")
    clone = kiosk.cloned()
    for _ in range(3):
        kiosk.write("help.asked")
        clone.write("button.freed")
    fleet.take(clone.sends(4))
    fleet.take(kiosk.sends(1, 3))
    assert fleet.acks(kiosk)[-1]["through"] == 3
    fleet.take(kiosk.sends(4))
    assert fleet.acks(kiosk)[-1] == {"epoch": kiosk.epoch, "fork_at": 4}


def test_an_unknown_type_is_kept(fleet: Fleet, kiosk: Kiosk) -> None:
    kiosk.write("lunch.served", soup=True)
    fleet.take(kiosk.sends())
    assert fleet.acks(kiosk)[-1]["through"] == 1


def test_m1_rows_belong_to_the_kiosk_of_the_topic_and_foreign_sessions_stay_untouched(fleet: Fleet) -> None:
    kiosk, other = Kiosk(), Kiosk(id="lincoln-13")
    session = kiosk.whole_session()
    fleet.take(kiosk.sends())
    fleet.settle()
    other.write("session.cancelled", session, reason="mischief")
    fleet.take(other.sends())
    fleet.settle()
    with fleet.database.read() as connection:
        line = sessions.one(connection, session)
    assert line is not None
    assert (line.kiosk, line.state, line.complete) == (kiosk.id, "ended", True)
    assert fleet.parts.metrics.registry.get_sample_value("carrel_sessions_foreign_total") == 1


@st.composite
def deliveries(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Batches over 12 rows in any order, with duplicates and overlaps, that together cover every row."""
    spans = draw(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)).map(sorted), max_size=12))
    every = [(seq, seq) for seq in range(1, 13)]
    return draw(st.permutations([*((first, last) for first, last in spans), *every]))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(order=deliveries(), chunk=st.integers(1, 6))
def test_any_order_with_duplicates_ends_with_the_same_rows(order: list[tuple[int, int]], chunk: int) -> None:
    kiosk = Kiosk()
    for number in range(12):
        kiosk.write("help.asked" if number % 2 else "button.freed")
    with tempfile.TemporaryDirectory() as folder, running_fleet(Path(folder)) as fleet:
        through = 0
        for start in range(0, len(order), chunk):
            fleet.take(*(kiosk.sends(first, last) for first, last in order[start : start + chunk]))
            held = {seq for seq, _ in fleet.held(kiosk)}
            contiguous = next(seq for seq in range(14) if seq + 1 not in held)
            acked = [ack["through"] for ack in fleet.acks(kiosk) if "through" in ack]
            assert max(acked, default=0) == contiguous >= through  # never more than is held, never less
            through = contiguous
        assert fleet.held(kiosk) == list(enumerate((row.hash for row in kiosk.rows), 1))
        assert not fleet.put_aside(kiosk)
        assert fleet.post.to(kiosk, Channel.LEDGER_ACK)[-1]["through"] == 12
