"""Signals and verdicts: what outranks what, and that every row of the table can be read by everyone."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wire.signal_table import SIGNALS, words
from wire.signals import ActiveSignal, Severity, Verdict, ranked, verdict

# The table of readiness.md, row for row: severity there, and whether it counts per camera. One row is beyond it:
# camera.small, for a camera that gives less than it was asked for and is used all the same.
TABLE = {
    "camera.missing": "attention", "camera.frozen": "attention", "camera.covered": "attention",
    "camera.shuttered": "attention", "camera.dark": "attention", "camera.overexposed": "attention",
    "camera.blurred": "attention", "camera.glare": "attention", "camera.moved": "attention",
    "camera.swapped": "attention", "camera.slow": "attention", "camera.small": "attention",
    "mat.not_in_frame": "attention", "audio.missing": "attention", "audio.silent": "attention",
    "link.down": "info", "link.poor": "attention",
    "link.filtered": "attention", "clock.unset": "attention", "clock.drift": "attention", "storage.low": "attention",
    "storage.critical": "attention", "storage.worn": "attention", "storage.readonly": "blocked",
    "power.undervoltage": "attention", "power.throttled": "attention", "heat.high": "attention",
    "button.stuck": "attention", "lamp.mismatch": "blocked", "certificate.expiring": "attention",
    "certificate.expired": "attention", "software.behind": "info", "backlog.old": "attention",
    "session.overdue": "attention", "therapist.absent": "attention", "agent.restarting": "attention",
    "schedule.stale": "info",
}  # fmt: skip
# Worst first: a covered lens is also dark and blurred, and only one thing has to be done about it.
PRECEDENCE = [
    {"camera.covered", "camera.shuttered"},
    {"camera.dark", "camera.overexposed"},
    {"camera.glare"},
    {"camera.blurred", "camera.moved"},
]
BEGAN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RANK = {name: rank for rank, names in enumerate(PRECEDENCE) for name in names}
BADNESS = [Severity.INFO, Severity.ATTENTION, Severity.BLOCKED]

ACTIVE = st.builds(
    ActiveSignal,
    id=st.sampled_from(sorted(SIGNALS)),
    role=st.sampled_from([None, "overhead", "front"]),
    severity=st.sampled_from(Severity),
    since=st.integers(0, 1_000).map(lambda second: BEGAN + timedelta(seconds=second)),
)
ACTIVES = st.lists(ACTIVE, max_size=12, unique_by=lambda one: (one.id, one.role))


def active(name: str, role: str | None = None, severity: Severity = Severity.ATTENTION) -> ActiveSignal:
    return ActiveSignal(id=name, role=role, severity=severity, since=BEGAN)


# The table


def test_the_table_is_that_of_the_design() -> None:
    assert {name: row.severity.value for name, row in SIGNALS.items()} == TABLE


@pytest.mark.parametrize("name", sorted(SIGNALS))
def test_a_signal_is_seen_within_its_time_though_it_must_hold_first(name: str) -> None:
    row = SIGNALS[name]
    assert row.within_s >= row.hold_s >= 0
    assert row.clear_s >= 0


@pytest.mark.parametrize("name", sorted(SIGNALS))
def test_every_reader_is_told_in_words(name: str) -> None:
    row = SIGNALS[name]
    for text in (row.aide, row.therapist, row.it, row.true_when):
        assert text.strip() == text
        assert len(text) >= 10
    assert row.aide.endswith(".")
    for text in (row.aide, row.therapist, row.it):
        assert set(re.findall(r"\{.*?\}", text)) <= ({"{camera}"} if row.per_role else set())


@pytest.mark.parametrize("name", sorted(SIGNALS))
@pytest.mark.parametrize("reader", ["aide", "therapist", "it"])
def test_words_name_the_camera_and_leave_no_gap(name: str, reader: str) -> None:
    for role, camera in (("overhead", "desk camera"), ("front", "front camera"), (None, "camera")):
        text = words(name, role, reader)
        assert "{" not in text
        if "{camera}" in getattr(SIGNALS[name], reader):
            assert camera in text


def test_a_signal_of_a_later_version_is_called_by_its_id() -> None:
    assert words("camera.melted", "front", "aide") == "camera.melted"


# Precedence


@settings(max_examples=100, deadline=None)
@given(ACTIVES)
def test_of_one_camera_only_the_highest_picture_signals_count(signals: list[ActiveSignal]) -> None:
    found = ranked(signals)
    assert {(one.id, one.role) for one in found} == {(one.id, one.role) for one in signals}
    for one in found:
        higher = [
            other
            for other in signals
            if other.role == one.role and RANK.get(other.id, 99) < RANK.get(one.id, -1)
        ]  # fmt: skip
        assert one.outranked is bool(higher)


@settings(max_examples=100, deadline=None)
@given(ACTIVES, st.randoms())
def test_ranking_puts_the_worst_first_and_forgets_the_order_they_came_in(
    signals: list[ActiveSignal], random: st.DataObject
) -> None:
    found = ranked(signals)
    counted = [one for one in found if not one.outranked]
    assert list(found[: len(counted)]) == counted
    badness = [BADNESS.index(one.severity) for one in counted]
    assert badness == sorted(badness, reverse=True)
    assert ranked(found) == found
    assert {(one.id, one.role, one.outranked) for one in ranked(reversed(signals))} == {
        (one.id, one.role, one.outranked) for one in found
    }


@settings(max_examples=100, deadline=None)
@given(ACTIVES)
def test_the_verdict_is_the_worst_that_counts(signals: list[ActiveSignal]) -> None:
    found = ranked(signals)
    worst = max((BADNESS.index(one.severity) for one in found if not one.outranked), default=0)
    assert verdict(found) is [Verdict.READY, Verdict.ATTENTION, Verdict.BLOCKED][worst]


def test_with_nothing_wrong_a_kiosk_is_ready() -> None:
    assert verdict([]) is Verdict.READY
    assert verdict([active("link.down", severity=Severity.INFO)]) is Verdict.READY


def test_a_covered_camera_holds_back_what_follows_from_it() -> None:
    found = ranked(
        [active("camera.dark", "front"), active("camera.blurred", "front"), active("camera.covered", "front")]
    )
    assert [(one.id, one.outranked) for one in found] == [
        ("camera.covered", False),
        ("camera.blurred", True),
        ("camera.dark", True),
    ]


def test_one_cameras_trouble_holds_nothing_of_the_other_back() -> None:
    found = ranked(
        [active("camera.covered", "front"), active("camera.dark", "overhead"), active("camera.slow", "front")]
    )
    assert not any(one.outranked for one in found)


def test_what_is_held_back_changes_no_verdict() -> None:
    found = ranked([active("camera.covered", "front", Severity.INFO), active("camera.dark", "front", Severity.BLOCKED)])
    assert verdict(found) is Verdict.READY
