"""G1-G5 of docs/threat-model.md: what edges mean."""

from hypothesis import given, settings
from hypothesis import strategies as st

from device.gestures import HOLD_NS, SETTLE_NS, STUCK_NS, Gesture, Gestures, Kind

MS = 1_000_000
S = 1_000 * MS


class Button:
    """A contact with a clock; every moment the panel would wake up is lived through."""

    def __init__(self, *, down: bool = False) -> None:
        self.now_ns = 0
        self.gestures = Gestures(0, down=down)
        self.seen: list[Gesture] = []

    def down(self) -> None:
        self.seen += self.gestures.edge(self.now_ns, down=True)

    def up(self) -> None:
        self.seen += self.gestures.edge(self.now_ns, down=False)

    def wait(self, ns: int) -> None:
        until = self.now_ns + ns
        while (wake := self.gestures.wake_ns()) is not None and wake <= until:
            self.now_ns = max(wake, self.now_ns)
            self.seen += self.gestures.advance(self.now_ns)
        self.now_ns = until
        self.seen += self.gestures.advance(self.now_ns)

    def bounce(self, edges: int, every_ns: int) -> None:
        for _ in range(edges // 2):
            self.down()
            self.wait(every_ns)
            self.up()
            self.wait(every_ns)

    @property
    def kinds(self) -> list[Kind]:
        return [one.kind for one in self.seen]


def test_a_press_counts_after_thirty_milliseconds_on_the_way_down() -> None:
    button = Button()
    button.down()
    button.wait(29 * MS)
    assert button.kinds == []
    button.wait(1 * MS)
    assert button.seen == [Gesture(Kind.PRESS, 0, SETTLE_NS)]


def test_g1_a_glitch_of_one_millisecond_is_nothing() -> None:
    button = Button()
    for _ in range(20):
        button.down()
        button.wait(1 * MS)
        button.up()
        button.wait(200 * MS)
    assert button.kinds == []


def test_g2_two_hundred_bounces_are_one_press() -> None:
    button = Button()
    button.bounce(200, MS // 10)
    button.down()
    button.wait(100 * MS)
    button.bounce(20, MS // 10)
    button.up()
    button.wait(S)
    assert button.kinds == [Kind.PRESS]


def test_a_hold_is_seen_once_after_two_seconds_and_says_when_it_began() -> None:
    button = Button()
    button.wait(5 * S)
    button.down()
    button.wait(2 * S)
    assert button.kinds == [Kind.PRESS, Kind.HOLD]
    assert button.seen[-1] == Gesture(Kind.HOLD, 5 * S, 5 * S + HOLD_NS)
    button.up()
    button.wait(S)
    assert button.kinds == [Kind.PRESS, Kind.HOLD]


def test_g3_held_ten_seconds_is_stuck_and_freed_when_let_go() -> None:
    button = Button()
    button.down()
    button.wait(STUCK_NS + 600 * S)
    assert button.kinds == [Kind.PRESS, Kind.HOLD, Kind.STUCK]
    button.up()
    button.wait(S)
    assert button.kinds[-1] is Kind.FREED


def test_g3_down_at_boot_starts_nothing_until_it_was_let_go() -> None:
    button = Button(down=True)
    button.wait(11 * S)
    assert button.kinds == [Kind.STUCK]
    button.up()
    button.wait(S)
    button.down()
    button.wait(S)
    assert button.kinds == [Kind.STUCK, Kind.FREED, Kind.PRESS]


def test_g5_a_contact_that_chatters_for_seconds_is_stuck_and_presses_nothing() -> None:
    button = Button()
    button.bounce(4_000, MS)
    assert button.kinds == [Kind.STUCK]
    button.wait(3 * S)
    assert button.kinds == [Kind.STUCK, Kind.FREED]
    button.down()
    button.wait(S)
    assert button.kinds[-1] is Kind.PRESS


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3 * S), st.booleans()), max_size=60))
def test_whatever_the_contact_does_presses_and_holds_alternate_sensibly(moves: list[tuple[int, bool]]) -> None:
    button = Button()
    for wait_ns, down in moves:
        button.wait(wait_ns)
        (button.down if down else button.up)()
    button.wait(20 * S)
    since_press: list[Kind] = []
    for one in button.seen:
        if one.kind is Kind.PRESS:
            since_press = []
        assert one.kind not in since_press or one.kind is Kind.FREED
        if one.kind is Kind.HOLD:
            assert Kind.PRESS in button.kinds
            assert one.at_ns - one.down_ns == HOLD_NS
        since_press.append(one.kind)
