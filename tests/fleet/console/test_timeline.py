import itertools
import re
from datetime import UTC, datetime, timedelta, timezone
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.console.layout import WHOLE, Drawing, Kind, lay_out, legend
from fleet.console.timeline import in_words, svg
from fleet.views import SessionView
from tests.fleet.console.made_up import minutes, session, span
from wire.ledger import ClockTrust
from wire.minutes import Minutes, Mode, Span

POWER_CUT = (
    span(0, 600, therapist=True),
    span(600, 680, Mode.INTERRUPTED, cause="power"),
    span(680, 1_300, therapist=True),
    span(1_300, 1_420, link_up=False, therapist=False),
    span(1_420, 1_480, Mode.PAUSED, therapist=False),
    span(1_480, 1_900, therapist=True),
)


def drawn(told: SessionView, silent_ms: int = 0) -> ET.Element:
    return ET.fromstring(svg(told, lay_out(told, silent_ms), UTC))


def millionths(percent: str) -> int:
    whole, part = percent.removesuffix("%").split(".")
    assert len(part) == 4
    return int(whole) * 10_000 + int(part)


def bars(root: ET.Element) -> list[tuple[str, int, int]]:
    """Kind, place and width of every piece of the bar."""
    found = []
    for group in root.findall("g"):
        rect = group.find("rect")
        assert rect is not None
        found.append((rect.attrib["class"], millionths(rect.attrib["x"]), millionths(rect.attrib["width"])))
    return found


@st.composite
def timelines(draw: st.DrawFn) -> tuple[Span, ...]:
    """Spans as the fold makes them: from 0 on, without overlap or hole, of at least a millisecond."""
    edges = [0]
    for length in draw(st.lists(st.integers(1, 4_000_000), min_size=1, max_size=30)):
        edges.append(edges[-1] + length)
    return tuple(
        Span(
            start_ms=start,
            end_ms=end,
            mode=draw(st.sampled_from(list(Mode))),
            cause=draw(st.sampled_from([None, "power", "camera", "person", "unknown", "gremlins"])),
            link_up=draw(st.booleans()),
            therapist=draw(st.sampled_from([None, True, False])),
        )
        for start, end in itertools.pairwise(edges)
    )


@given(timelines(), st.none() | st.integers(1, 20_000_000), st.integers(0, 5_000_000))
def test_the_pieces_share_their_edges_and_add_up_to_the_bar(
    spans: tuple[Span, ...], planned_ms: int | None, silent_ms: int
) -> None:
    told = session(spans, minutes=minutes(spans, planned_ms=planned_ms))
    drawing = lay_out(told, silent_ms)
    found = bars(ET.fromstring(svg(told, drawing, UTC)))
    reached = 0
    for _, place, width in found:
        assert place == reached
        assert width >= 0
        reached = place + width
    assert reached == drawing.place(spans[-1].end_ms + silent_ms)
    assert reached <= WHOLE


@given(timelines())
def test_each_kind_is_drawn_as_long_as_the_minutes_say(spans: tuple[Span, ...]) -> None:
    told = minutes(spans)
    length = dict.fromkeys(Kind, 0)
    for piece in lay_out(session(spans)).pieces:
        length[piece.kind] += piece.end_ms - piece.start_ms
    assert length[Kind.RUNNING] + length[Kind.BUFFERED] == told.running_ms
    assert length[Kind.BUFFERED] == told.buffered_ms
    assert length[Kind.PAUSED] == told.paused_ms
    assert length[Kind.INTERRUPTED] == sum(told.interrupted_ms.values())


@given(st.lists(st.tuples(st.integers(0, 90_000), st.integers(0, 90_000)), max_size=12))
def test_spans_that_overlap_or_leave_holes_still_make_one_line(edges: list[tuple[int, int]]) -> None:
    spans = [Span(start_ms=a, end_ms=b, mode=Mode.RUNNING) for a, b in edges]
    reached = 0
    for piece in lay_out(session(spans, minutes=Minutes())).pieces:
        assert piece.start_ms == reached < piece.end_ms
        reached = piece.end_ms


def test_what_is_not_drawn_is_not_in_the_legend() -> None:
    told = session([span(0, 100)])
    assert legend(lay_out(told)) == ((Kind.RUNNING, "running"),)
    everything = session(POWER_CUT, minutes=minutes(POWER_CUT, planned_ms=1_800_000, overrun_ms=100_000))
    assert [kind for kind, _ in legend(lay_out(everything, 5_000))] == list(Kind)


def test_an_interruption_is_labelled_with_its_cause() -> None:
    texts = [text.text for text in drawn(session(POWER_CUT)).findall("text")]
    assert "no power 1:20" in texts
    assert "paused 1:00" in texts


def test_its_label_says_the_figures_in_words() -> None:
    told = session(POWER_CUT, minutes=minutes(POWER_CUT, planned_ms=1_800_000))
    root = drawn(told)
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == in_words(told)
    assert in_words(told) == (
        "Timeline of 31 min 40 s, running 29 min 20 s, of that 2 min without network, paused 1 min, "
        "interrupted, no power, 1 min 20 s, planned 30 min, therapist connected 27 min 20 s."
    )


def test_a_therapist_nobody_knows_of_has_no_line() -> None:
    unknown = session([span(0, 100, therapist=None)])
    assert not [one for one in drawn(unknown).findall("rect") if one.attrib.get("class") == "tl-connected"]
    assert "therapist" not in in_words(unknown)


def test_the_therapists_line_is_under_the_pieces_it_belongs_to() -> None:
    told = session(POWER_CUT)
    lines = [one for one in drawn(told).findall("rect") if one.attrib.get("class") == "tl-connected"]
    drawing = lay_out(told)
    starts = [drawing.place(ms) for ms in (0, 680_000, 1_480_000)]
    assert [millionths(line.attrib["x"]) for line in lines] == starts


def test_silence_after_the_last_news_is_drawn_as_silence() -> None:
    pieces = lay_out(session([span(0, 60)], "running"), 30_000).pieces
    assert [(one.kind, one.start_ms, one.end_ms) for one in pieces] == [
        (Kind.RUNNING, 0, 60_000),
        (Kind.SILENT, 60_000, 90_000),
    ]


def test_the_planned_end_is_where_the_overrun_begins() -> None:
    spans = [span(0, 2_000)]
    late = session(spans, minutes=minutes(spans, planned_ms=1_800_000, overrun_ms=500_000))
    assert lay_out(late).planned_ms == 1_500_000, "a session begun late is planned to end with its booking"


def times_under(told: SessionView, zone: timezone = UTC) -> list[str]:
    root = ET.fromstring(svg(told, lay_out(told), zone))
    return [text.text or "" for text in root.findall("text") if "tl-time" in text.attrib["class"]]


def test_the_axis_tells_the_campuss_time() -> None:
    told = session([span(0, 1_500)], started_at=datetime(2026, 11, 23, 9, 43, 12, tzinfo=UTC))
    assert times_under(told) == ["09:45", "09:50", "09:55", "10:00", "10:05"]
    kathmandu = timezone(timedelta(hours=5, minutes=45))
    assert times_under(told, kathmandu)[0] == "15:30"


def test_without_a_set_clock_the_axis_counts_from_the_start() -> None:
    told = session([span(0, 600)], clock=ClockTrust.UNSET, started_at=datetime(1970, 1, 1, tzinfo=UTC))
    assert times_under(told) == ["0:00", "2:00", "4:00", "6:00", "8:00", "10:00"]


@pytest.mark.parametrize("length_s", [0.001, 1, 59, 61, 3_599, 86_400, 40_000_000])
def test_the_axis_has_room_for_its_times(length_s: float) -> None:
    assert 1 <= len(times_under(session([span(0, length_s)]))) <= 8


def test_labels_never_overlap_on_a_phone_nor_on_a_desk() -> None:
    spans = [span(n * 60, n * 60 + 60, Mode.PAUSED if n % 2 else Mode.RUNNING) for n in range(30)]
    labels = [one for one in drawn(session(spans)).findall("text") if "tl-label" in one.attrib["class"]]
    for width_px, shown in ((358, [one for one in labels if "tl-wide" not in one.attrib["class"]]), (1_190, labels)):
        places = sorted(_extent_px(one, width_px) for one in shown)
        assert all(left[1] <= right[0] for left, right in itertools.pairwise(places))
    assert 1 <= len(labels) < 15


def _extent_px(label: ET.Element, width_px: int) -> tuple[float, float]:
    place = float(label.attrib["x"].removesuffix("%")) * width_px / 100
    length = len(label.text or "") * 7.5
    return (place - length, place) if label.attrib.get("text-anchor") == "end" else (place, place + length)


def test_a_cause_from_a_strange_kiosk_is_only_text() -> None:
    hostile = '"/></svg><script>alert(1)</script>'
    told = session([span(0, 60, Mode.INTERRUPTED, cause=hostile)])
    text = str(svg(told, lay_out(told), UTC))
    assert "<script" not in text
    assert hostile in (drawn(told).findtext("text") or "")


def test_it_needs_no_inline_style() -> None:
    text = str(svg(session(POWER_CUT), lay_out(session(POWER_CUT)), UTC))
    assert not re.search(r"\sstyle=|\son[a-z]+=", text)


def test_a_session_of_seconds_does_not_fill_the_line() -> None:
    assert lay_out(session([span(0, 3)])) == Drawing(lay_out(session([span(0, 3)])).pieces, (), None, 60_000)
