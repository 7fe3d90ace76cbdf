"""Presence: only live messages are signs of life; silence makes a kiosk unknown, then offline; old wills are void."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from fleet.clock import Instant
from fleet.presence import OFFLINE_AFTER_S, UNKNOWN_AFTER_S, Presence, Reach, born, died, sign
from tests.fleet.world import BEGAN

START = Instant(500.0, BEGAN)


def later(seconds: float) -> Instant:
    return Instant(START.mono_s + seconds, START.at + timedelta(seconds=seconds))


def alive(seconds: float = 0.0) -> Presence:
    return born(Presence(listening=START), 7, "epoch-a", retained=False, now=later(seconds))


def test_a_kiosk_never_heard_is_not_online_and_has_no_since() -> None:
    never = Presence(listening=START)
    assert never.reach(later(1)) is Reach.UNKNOWN
    assert never.reach(later(90)) is Reach.OFFLINE
    assert never.since(later(91)) is None


def test_silence_makes_it_unknown_after_45_s_and_offline_after_90_s() -> None:
    presence = sign(alive(), later(10))
    assert presence.reach(later(10 + 44.9)) is Reach.ONLINE
    assert presence.reach(later(10 + 45)) is Reach.UNKNOWN
    assert presence.since(later(10 + 50)) == later(10 + 45).at
    assert presence.reach(later(10 + 90)) is Reach.OFFLINE
    assert presence.since(later(10 + 500)) == later(10 + 90).at


def test_a_valid_death_counts_at_once() -> None:
    dead = died(alive(), 7, retained=False, now=later(3))
    assert dead.reach(later(3)) is Reach.OFFLINE
    assert dead.since(later(60)) == later(3).at


def test_an_old_will_changes_nothing() -> None:
    presence = alive()
    assert died(presence, 6, retained=False, now=later(3)) == presence


def test_a_retained_birth_is_no_sign_of_life() -> None:
    replayed = born(Presence(listening=START), 7, "epoch-a", retained=True, now=later(1))
    assert replayed.heard is None
    assert replayed.reach(later(1)) is Reach.UNKNOWN
    assert died(replayed, 6, retained=False, now=later(2)) == replayed


def test_a_retained_birth_newer_than_the_death_we_know_makes_it_unknown_again() -> None:
    dead = died(alive(), 7, retained=False, now=later(3))
    assert born(dead, 7, "epoch-a", retained=True, now=later(4)) == dead
    assert born(dead, 8, "epoch-a", retained=True, now=later(4)).reach(later(4)) is Reach.ONLINE  # heard 4 s ago
    assert born(dead, 8, "epoch-a", retained=True, now=later(60)).reach(later(60)) is Reach.UNKNOWN


def test_a_new_ledger_begins_its_births_anew() -> None:
    reborn = born(alive(), 1, "epoch-b", retained=False, now=later(5))
    assert died(reborn, 1, retained=False, now=later(6)).reach(later(6)) is Reach.OFFLINE


def test_online_since_survives_further_signs_and_begins_anew_after_silence() -> None:
    presence = sign(sign(alive(1), later(20)), later(40))
    assert presence.since(later(41)) == later(1).at
    back = sign(presence, later(40 + 50))
    assert back.since(later(91)) == later(90).at


def test_after_a_restart_nothing_is_online_before_it_is_heard() -> None:
    kept = replace(sign(alive(), later(10)), listening=later(12), heard_here=False)
    assert kept.reach(later(12)) is Reach.UNKNOWN
    assert kept.since(later(12)) == later(12).at
    assert kept.reach(later(12 + 90)) is Reach.OFFLINE
    assert sign(kept, later(13)).reach(later(13)) is Reach.ONLINE


BIRTH = 7
LIVE = {
    "sign": sign,
    "birth": lambda presence, now: born(presence, BIRTH, "epoch-a", retained=False, now=now),
    "old birth": lambda presence, now: born(presence, BIRTH - 1, "epoch-a", retained=False, now=now),
}
DEATH = {"death": lambda presence, now: died(presence, BIRTH, retained=False, now=now)}
VOID = {
    "nothing": lambda presence, _now: presence,
    "retained birth": lambda presence, now: born(presence, BIRTH, "epoch-a", retained=True, now=now),
    "old death": lambda presence, now: died(presence, BIRTH - 1, retained=False, now=now),
    "old retained death": lambda presence, now: died(presence, BIRTH - 1, retained=True, now=now),
}


@given(st.lists(st.tuples(st.floats(0, 60), st.sampled_from([*LIVE, *DEATH, *VOID])), max_size=40))
def test_presence_follows_from_the_last_live_sign_and_the_last_valid_death(told: list[tuple[float, str]]) -> None:
    presence, at, last_sign, dead = alive(), 0.0, 0.0, False
    for wait_s, what in told:
        at += wait_s
        presence = (LIVE | DEATH | VOID)[what](presence, later(at))
        last_sign = at if what in LIVE else last_sign
        dead = what in DEATH or (dead and what not in LIVE)
        for then_s in (at, at + 44, at + 46, at + 91):
            reach = presence.reach(later(then_s))
            silence_s = later(then_s).mono_s - later(last_sign).mono_s
            assert (reach is Reach.OFFLINE) == (dead or silence_s >= OFFLINE_AFTER_S)
            assert (reach is Reach.ONLINE) == (not dead and silence_s < UNKNOWN_AFTER_S)
            since = presence.since(later(then_s))
            assert since is not None
            assert since <= later(then_s).at
