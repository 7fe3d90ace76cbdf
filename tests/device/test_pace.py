"""How much is under way: as much as the line carries in half a second, found out by the answers alone."""

import pytest

from device.pace import AIM_S, LEAST_BYTES, START_BYTES, Flight, Pace

MOST = 512 * 1024
ROW = 300


def on_line(bytes_per_s: float, seconds: float, fleet_s: float = 0.03) -> tuple[list[float], int]:
    """Waits of a row of now, tried all the time on a line with one queue, and the bytes of the backlog that arrived."""
    flight = Flight(MOST)
    now_s = free_at_s = 0.0
    answers: list[tuple[float, int]] = []
    waits_s, sent = list[float](), 0
    while now_s < seconds:
        while (most := flight.next_bytes) and now_s < seconds:
            size = max(ROW, min(most, 128 * 1024) // ROW * ROW)
            sent += size
            free_at_s = max(free_at_s, now_s) + size / bytes_per_s
            flight.sent(sent, size, now_s)
            answers.append((free_at_s + fleet_s, sent))
        waits_s.append(max(0.0, free_at_s - now_s) + ROW / bytes_per_s + fleet_s)
        now_s, through = answers.pop(0)
        flight.answered(through, now_s)
    return waits_s, sent


@pytest.mark.parametrize("bytes_per_s", [32_000, 128_000, 1_000_000, 20_000_000])
def test_a_row_of_now_waits_under_a_second_on_any_line_and_the_line_is_used(bytes_per_s: float) -> None:
    waits_s, sent = on_line(bytes_per_s, 60)
    assert max(waits_s) < 1.0
    assert sent > 0.5 * min(60 * bytes_per_s, 60 * MOST)


def test_the_window_grows_only_with_use_shrinks_with_late_answers_and_keeps_its_bounds() -> None:
    pace = Pace(MOST)
    pace.answered(0.01, 100)
    assert pace.window_bytes == START_BYTES, "a small message tries nothing"
    for _ in range(20):
        pace.answered(0.01, pace.window_bytes)
    assert pace.window_bytes == MOST
    pace.answered(AIM_S * 0.8, MOST)
    assert pace.window_bytes == MOST, "near the aim it stays"
    pace.answered(60.0, MOST)
    assert pace.window_bytes == MOST // 2, "one late answer halves it at most"
    for _ in range(20):
        pace.answered(2.0, MOST)
    assert pace.window_bytes == LEAST_BYTES


def test_what_is_not_answered_is_sent_again_gently() -> None:
    flight = Flight(MOST)
    flight.sent(10, START_BYTES, 0.0)
    assert flight.next_bytes == 0
    flight.unanswered()
    assert flight.next_bytes == LEAST_BYTES // 2


def test_answers_to_one_window_change_it_once() -> None:
    flight = Flight(MOST)
    for number in range(4):
        flight.sent(number, START_BYTES // 4, 0.0)
    for number in range(4):
        flight.answered(number, 5.0)
    assert flight.next_bytes == START_BYTES // 4, "halved once, and half of that is a message"
