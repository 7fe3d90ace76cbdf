"""What may be kept of a session's pictures: nothing, unless everything says so."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.cameras.recording import Keep
from device.session.clock import Instant
from device.session.consent import Permission, permission, still_refusal
from device.session.states import CardsSaid, Phase, Session, State
from wire.ledger import ClockTrust
from wire.schedule import Booking, Consent, Schedule

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
AT = Instant(100, NOW, "boot", ClockTrust.SYNCED)
BOOKING = Booking(
    id="b-1", start=NOW, planned_ms=1_800_000, therapist="demo-therapist", students=("s-0418",), record="always",
    consents=(Consent(student="s-0418"),),
)  # fmt: skip
RUNNING = {Phase.STARTING, Phase.LIVE, Phase.BUFFERING}


def state(booking: Booking | None = BOOKING, **changes: object) -> State:
    bookings = (booking,) if booking else ()
    first = State(
        phase=Phase.LIVE,
        session=Session("a-session", booking, frozenset(("overhead",)), 10**18),
        schedule=Schedule(revision=1, as_of=NOW, bookings=bookings),
        link_up=True,
    )
    return replace(first, **changes)  # type: ignore[arg-type]


def changed(**changes: object) -> Booking:
    return BOOKING.model_copy(update=changes)


def test_with_consent_in_force_the_policy_decides() -> None:
    assert permission(state(), AT).keep is Keep.ALL
    offline = changed(record="when-offline")
    assert permission(state(offline), AT).keep is Keep.PRE_ROLL
    assert permission(state(offline, link_up=False), AT).keep is Keep.ALL
    assert permission(state(changed(record="never")), AT).keep is Keep.NOTHING
    assert permission(state(changed(record="a-word-of-a-newer-fleet")), AT).keep is Keep.NOTHING


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase not in RUNNING])
def test_nothing_is_kept_while_no_session_runs(phase: Phase) -> None:
    assert permission(state(phase=phase), AT).keep is Keep.NOTHING


@pytest.mark.parametrize(
    ("reason", "now"),
    [
        ("unplanned", state(None)),
        ("push-in", state(changed(model="push-in"))),
        ("not-scheduled", state(schedule=Schedule(revision=2, as_of=NOW))),
        ("schedule-old", state(schedule=None)),
        ("schedule-old", state(schedule=Schedule(revision=1, as_of=NOW - timedelta(hours=24), bookings=(BOOKING,)))),
        ("schedule-old", state(schedule=Schedule(revision=1, as_of=NOW + timedelta(hours=1), bookings=(BOOKING,)))),
        ("not-this-student", state(wrong_student="a-session")),
        ("no-consent", state(changed(consents=()))),
        ("no-consent", state(changed(students=()))),
        ("no-consent", state(changed(students=("s-0418", "s-0419")))),
        ("no-consent", state(changed(consents=(Consent(student="s-0418", until=NOW),)))),
        ("no-consent", state(changed(consents=(Consent(student="s-0418", revoked_at=NOW),)))),
        (
            "no-consent",
            state(changed(consents=(Consent(student="s-0418"), Consent(student="s-0418", revoked_at=NOW)))),
        ),
    ],
)
def test_each_thing_that_is_missing_forbids_it_and_is_named(reason: str, now: State) -> None:
    found = permission(now, AT)
    assert (found.keep, found.reason) == (Keep.NOTHING, reason)


def test_another_bookings_card_forbids_what_was_allowed_and_is_no_reason_where_nothing_was() -> None:
    stopped = CardsSaid("a-session", stopped_by=(11,))
    assert permission(state(said=stopped), AT) == Permission(Keep.NOTHING, "other-card")
    assert permission(state(changed(record="never"), said=stopped), AT) == Permission(Keep.NOTHING, "policy")
    assert permission(state(said=replace(stopped, session="another")), AT).keep is Keep.ALL


def test_a_clock_that_was_never_set_cannot_say_how_old_a_consent_is() -> None:
    assert permission(state(), replace(AT, trust=ClockTrust.UNSET)).keep is Keep.NOTHING


def test_a_consent_runs_out_and_can_be_taken_back_in_mid_session() -> None:
    later = replace(AT, wall=NOW + timedelta(minutes=5))
    for consent in (
        Consent(student="s-0418", until=NOW + timedelta(minutes=1)),
        Consent(student="s-0418", revoked_at=NOW + timedelta(minutes=1)),
    ):
        booked = state(changed(consents=(consent,)))
        assert permission(booked, AT).keep is Keep.ALL
        assert permission(booked, later).keep is Keep.NOTHING


_STUDENTS = ("s-001", "s-002", "s-003")
_TIMES = st.one_of(st.none(), st.integers(-3, 3).map(lambda hours: NOW + timedelta(hours=hours)))
_ANYTHING: dict[str, st.SearchStrategy[Any]] = {
    "students": st.lists(st.sampled_from(_STUDENTS), unique=True).map(tuple),
    "consents": st.lists(
        st.builds(Consent, student=st.sampled_from(_STUDENTS), until=_TIMES, revoked_at=_TIMES), max_size=5
    ).map(tuple),
    "age_h": st.integers(-2, 48),
    "phase": st.sampled_from(Phase),
    "record": st.sampled_from(["never", "when-offline", "always", "maybe"]),
    "model": st.sampled_from(["pull-out", "push-in", "consult", "group"]),
    "trust": st.sampled_from(ClockTrust),
}


@given(**_ANYTHING, link_up=st.booleans())
def test_whatever_is_kept_every_student_consented_and_the_schedule_was_fresh(
    students: tuple[str, ...],
    consents: tuple[Consent, ...],
    age_h: int,
    phase: Phase,
    link_up: bool,
    record: str,
    model: str,
    trust: ClockTrust,
) -> None:
    booking = changed(students=students, consents=consents, record=record, model=model)
    schedule = Schedule(revision=1, as_of=NOW - timedelta(hours=age_h), bookings=(booking,))
    found = permission(state(booking, schedule=schedule, phase=phase, link_up=link_up), replace(AT, trust=trust))
    if found.keep is Keep.NOTHING:
        return
    assert phase in RUNNING
    assert trust is not ClockTrust.UNSET
    assert 0 <= age_h < 24
    assert model != "push-in"
    assert students
    for student in students:
        of = [one for one in consents if one.student == student]
        assert any(one.until is None or one.until > NOW for one in of)
        assert not any(one.revoked_at is not None and one.revoked_at <= NOW for one in of)
    assert record == "always" or (record == "when-offline" and (found.keep is Keep.ALL) is not link_up)


# A still that the fleet asks for


def test_a_still_needs_consent_and_no_recording_policy() -> None:
    for record in ("never", "when-offline", "always", "a-word-of-a-newer-fleet"):
        assert still_refusal(state(changed(record=record)), AT) is None


@pytest.mark.parametrize(
    ("reason", "now"),
    [
        ("no-session", state(session=None, phase=Phase.IDLE)),
        ("paused", state(phase=Phase.PAUSED)),
        ("no-session", state(phase=Phase.ENDING)),
        ("unplanned", state(None)),
        ("unplanned", state(schedule=Schedule(revision=2, as_of=NOW))),
        ("push-in", state(changed(model="push-in"))),
        ("no-consent", state(changed(consents=()))),
        ("no-consent", state(changed(students=("s-0418", "s-0419")))),
        ("no-consent", state(changed(consents=(Consent(student="s-0418", revoked_at=NOW),)))),
        ("schedule-old", state(schedule=None)),
        ("schedule-old", state(schedule=Schedule(revision=1, as_of=NOW - timedelta(hours=24), bookings=(BOOKING,)))),
        ("not-this-student", state(wrong_student="a-session")),
        ("other-card", state(said=CardsSaid("a-session", stopped_by=(11,)))),
        ("other-card", state(changed(record="never"), said=CardsSaid("a-session", stopped_by=(11,)))),
    ],
)
def test_a_still_is_refused_with_the_contracts_word(reason: str, now: State) -> None:
    assert still_refusal(now, AT) == reason


_WORDS = {"no-session", "paused", "unplanned", "push-in", "no-consent", "schedule-old", "not-this-student"}


@given(**_ANYTHING, wrong=st.sampled_from([None, "a-session", "another"]))
def test_a_still_may_be_made_exactly_where_a_policy_of_always_would_record(
    students: tuple[str, ...],
    consents: tuple[Consent, ...],
    age_h: int,
    phase: Phase,
    wrong: str | None,
    record: str,
    model: str,
    trust: ClockTrust,
) -> None:
    at = replace(AT, trust=trust)

    def now(policy: str) -> State:
        booking = changed(students=students, consents=consents, record=policy, model=model)
        held = Schedule(revision=1, as_of=NOW - timedelta(hours=age_h), bookings=(booking,))
        return state(booking, schedule=held, phase=phase, wrong_student=wrong)

    refused = still_refusal(now(record), at)
    assert (refused is None) is (permission(now("always"), at).keep is Keep.ALL)
    assert refused is None or refused in _WORDS
