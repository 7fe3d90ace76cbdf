"""Conflicts and groups, with any bookings: held against counting by brute force."""

from datetime import timedelta
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from fleet.planning import Attending, Kind, Plan, State, clashes, merged
from tests.fleet.booking import NOW

PLANS = st.lists(
    st.builds(
        lambda n, room, therapist, start, minutes, students, state: Plan(
            f"b-{n}", "lincoln", room, therapist, NOW + timedelta(minutes=start), timedelta(minutes=minutes),
            tuple(Attending(one) for one in sorted(students)), state=state,
        ),
        st.integers(0, 10**6), st.sampled_from(["room-1", "room-2"]), st.sampled_from(["th-1", "th-2"]),
        st.integers(0, 12).map(lambda n: n * 10), st.integers(1, 6).map(lambda n: n * 10),
        st.sets(st.sampled_from(["s-001", "s-002", "s-003"]), max_size=2), st.sampled_from(State),
    ),
    max_size=7, unique_by=lambda plan: plan.id,
)  # fmt: skip


@given(PLANS)
def test_a_clash_is_exactly_an_overlap_in_what_can_be_in_one_place_only(plans: list[Plan]) -> None:
    expected = set()
    for one, other in combinations([one for one in plans if one.state is State.PLANNED], 2):
        if one.start < other.end and other.start < one.end:
            pair = frozenset({one.id, other.id})
            expected |= {(Kind.ROOM, one.room, pair)} if one.room == other.room else set()
            expected |= {(Kind.THERAPIST, one.therapist, pair)} if one.therapist == other.therapist else set()
            expected |= {(Kind.STUDENT, who, pair) for who in set(one.students) & set(other.students)}
    found = {(one.kind, one.what, frozenset({one.one.id, one.other.id})) for one in clashes(plans)}
    assert found <= expected
    assert bool(found) is bool(expected)
    if len(plans) <= 5:  # of more that overlap at once not every pair is named
        assert found == expected


def grouped(plans: list[Plan]) -> list[Plan]:
    found: dict[object, Plan] = {}
    for plan in plans:
        found[plan.slot] = merged(found[plan.slot], plan) if plan.slot in found else plan
    return list(found.values())


@given(PLANS)
def test_a_group_has_every_student_once_and_no_two_groups_share_a_slot(plans: list[Plan]) -> None:
    groups = grouped(plans)
    assert len({one.slot for one in groups}) == len(groups)
    for one in groups:
        assert set(one.students) == {who for plan in plans if plan.slot == one.slot for who in plan.students}
    assert grouped(groups) == groups
