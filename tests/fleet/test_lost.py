"""What no clock could tell, as people read it: in a sentence, in the table, in `explain`, whose numbers add up."""

import json
import re
from pathlib import Path

import pytest

from fleet.console.figures import figures, so_far
from fleet.explain import explain
from fleet.lost import lost_in_words
from tests.fleet.console.made_up import session, span
from tests.fleet.console.test_story import tell
from tests.fleet.world import Fleet, Kiosk
from wire.messages import WireRow
from wire.minutes import Bounds, Gap, Minutes, SessionRecord

GOLDEN = Path(__file__).parents[1] / "wire" / "golden-ledgers" / "clock-stood-still-over-two-cuts.json"
MINUTE = 60_000


def bounds(least_ms: int, most_ms: int | None, cuts: int = 1, counted_ms: int = 0) -> Bounds:
    gap = Gap(at_ms=MINUTE, cause="power", counted_ms=counted_ms, min_ms=0, max_ms=None)
    certain_ms = 20 * MINUTE
    return Bounds(
        elapsed_min_ms=certain_ms + least_ms,
        elapsed_max_ms=None if most_ms is None else certain_ms + most_ms,
        lost_min_ms=least_ms,
        lost_max_ms=most_ms,
        gaps=(gap,) * cuts,
    )


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (bounds(3 * MINUTE, 41 * MINUTE), "between 3 and 41 minutes were lost to a power cut"),
        (bounds(3 * MINUTE + 1, 40 * MINUTE + 1, 2), "between 3 and 41 minutes were lost to 2 power cuts"),
        (bounds(0, 900), "between 0 and 1 minute were lost to a power cut"),
        (bounds(3 * MINUTE, None), "at least 3 minutes were lost to a power cut"),
        (bounds(MINUTE, None), "at least 1 minute was lost to a power cut"),
        (bounds(59_999, None, 2), "nobody knows how long 2 power cuts lasted"),
    ],
)
def test_what_was_lost_is_said_in_whole_minutes_outwards(told: Bounds, words: str) -> None:
    assert lost_in_words(told) == f"{words}; the kiosk's clock was not set"


@pytest.mark.parametrize(
    ("told", "value"),
    [
        (bounds(3 * MINUTE, 41 * MINUTE), "3:00 to 41:00"),
        (bounds(3 * MINUTE, None, counted_ms=200_000), "at least 3:00"),
        (bounds(0, None), "not known"),
    ],
)
def test_the_table_gives_a_range_and_what_it_is_counted_as(told: Bounds, value: str) -> None:
    (found,) = [one for one in figures(Minutes(bounds=told)) if one.word == "Interrupted: not certain"]
    counted = "3:20" if told.gaps[0].counted_ms else "0:00"
    assert (found.value, found.known) == (value, False)
    assert found.meaning == f"over a restart with no clock set; counted as {counted}"


def test_the_page_says_it_in_a_sentence() -> None:
    told = session([span(0, 60)], minutes=Minutes(elapsed_ms=MINUTE, bounds=bounds(3 * MINUTE, 41 * MINUTE)))
    assert "Between 3 and 41 minutes were lost to a power cut; the kiosk's clock was not set." in tell(told).how


def test_the_bounds_of_a_session_that_goes_on_grow_with_it() -> None:
    minutes = Minutes(elapsed_ms=MINUTE, running_ms=MINUTE, bounds=bounds(0, 5 * MINUTE))
    grown = so_far(session([span(0, 60)], "running", minutes=minutes, age_s=30.0)).minutes.bounds
    assert grown is not None
    assert (grown.elapsed_min_ms, grown.elapsed_max_ms) == (20 * MINUTE + 30_000, 25 * MINUTE + 30_000)
    assert (grown.lost_min_ms, grown.lost_max_ms) == (0, 5 * MINUTE)


def test_explain_prints_each_gap_with_its_bounds(fleet: Fleet) -> None:
    told = json.loads(GOLDEN.read_text())
    (one,) = told["epochs"]
    ((name, record),) = told["sessions"].items()
    kiosk = Kiosk(epoch=one["epoch"], rows=[WireRow.model_validate(row) for row in one["rows"]])
    fleet.take(kiosk.sends())
    fleet.settle()
    lines = list(explain(fleet.database, name))
    found = SessionRecord.model_validate(record).minutes.bounds
    assert found is not None
    assert "between 10 and 11 minutes were lost to 2 power cuts; the kiosk's clock was not set:" in lines
    assert f"elapsed between {found.elapsed_min_ms} and {found.elapsed_max_ms} ms" in lines
    numbers = [[int(one) for one in re.findall(r"\d+", line)] for line in lines if "counted as" in line]
    assert numbers == [[gap.at_ms, gap.counted_ms, gap.min_ms, gap.max_ms] for gap in found.gaps]
    assert not any("bounds" in line for line in lines)
