"""The timeline of one session as SVG text. Pure.

Positions are percentages in whole millionths of the drawing's length, so that neighbours share their edge exactly, the
pieces add up to the bar, and the drawing fits any width while its text keeps its size. Patterns are those of
`templates/_sprite.html`, which a page holds once. Every colour has its pattern, and a word in the legend.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from markupsafe import Markup, escape

from fleet.console.layout import CAUSES, LEGEND, WHOLE, Drawing, Kind, Piece
from fleet.times import duration, duration_words
from fleet.views import SessionView
from wire.ledger import ClockTrust


def svg(session: SessionView, drawing: Drawing, zone: tzinfo | None) -> Markup:
    """The drawing as one `<svg>` element whose label says the figures in words."""
    height = _LINE_Y + 12 if drawing.connected else _LINE_Y - 6
    parts = [
        f'<svg class="timeline" width="100%" height="{height}" role="img" aria-label="{escape(in_words(session))}">',
        f'<rect class="tl-ground" x="0" y="{_BAR_Y}" width="100%" height="{_BAR_HEIGHT}"/>',
    ]
    if drawing.planned_ms:
        width = _percent(drawing.place(drawing.planned_ms))
        parts.append(f'<rect class="tl-planned" x="0" y="{_BAR_Y}" width="{width}" height="{_BAR_HEIGHT}"/>')
    parts += [_piece(piece, drawing) for piece in drawing.pieces]
    if drawing.planned_ms:
        end = _percent(drawing.place(drawing.planned_ms))
        parts.append(f'<rect class="tl-plan-end" x="{end}" y="{_BAR_Y - 4}" width="2" height="{_BAR_HEIGHT + 8}"/>')
    parts += [_label(label) for label in _labels(drawing)]
    parts += _ticks(drawing, _clock_start(session), zone)
    parts += [
        f'<rect class="tl-connected" x="{x}" y="{_LINE_Y}" width="{width}" height="6"/>'
        for x, width in (_extent(piece, drawing) for piece in drawing.connected)
    ]
    return Markup("".join((*parts, "</svg>")))  # noqa: S704  # numbers, words of this module, and escaped text


def in_words(session: SessionView) -> str:
    """The figures of the drawing in one breath, for a reader who does not see it."""
    told = session.minutes
    parts = [f"Timeline of {duration_words(told.elapsed_ms)}", f"running {duration_words(told.running_ms)}"]
    if told.buffered_ms:
        parts.append(f"of that {duration_words(told.buffered_ms)} without network")
    if told.paused_ms:
        parts.append(f"paused {duration_words(told.paused_ms)}")
    parts += [
        f"interrupted, {CAUSES.get(cause, cause)}, {duration_words(ms)}" for cause, ms in told.interrupted_ms.items()
    ]
    if told.planned_ms is not None:
        parts.append(f"planned {duration_words(told.planned_ms)}")
    if told.connected_ms is not None:
        parts.append(f"therapist connected {duration_words(told.connected_ms)}")
    return ", ".join(parts) + "."


def _percent(millionths: int) -> str:
    return f"{millionths // 10_000}.{millionths % 10_000:04}%"


def _extent(piece: Piece, drawing: Drawing) -> tuple[str, str]:
    start, end = drawing.place(piece.start_ms), drawing.place(piece.end_ms)
    return _percent(start), _percent(end - start)


def _piece(piece: Piece, drawing: Drawing) -> str:
    x, width = _extent(piece, drawing)
    word = LEGEND[piece.kind] + (f", {CAUSES.get(piece.cause, piece.cause)}" if piece.cause else "")
    title = escape(f"{word} {duration(piece.end_ms - piece.start_ms)}, from {duration(piece.start_ms)}")
    place = f'x="{x}" y="{_BAR_Y}" width="{width}" height="{_BAR_HEIGHT}"'
    pattern = ""
    if piece.kind in _PATTERNED:
        pattern = f'<rect fill="url(#tl-{piece.kind})" {place}/>'
    return f'<g><title>{title}</title><rect class="tl-{piece.kind}" {place}/>{pattern}</g>'


@dataclass(frozen=True, slots=True)
class _Label:
    text: str
    place: int
    at_end: bool
    narrow: bool


def _labels(drawing: Drawing) -> list[_Label]:
    """The words above the bar that find room, first on a phone's width, then on a desk's beside those standing."""
    wanted = []
    for piece in drawing.pieces:
        if piece.kind in {Kind.RUNNING, Kind.BUFFERED}:
            continue
        word = CAUSES.get(piece.cause, piece.cause) if piece.cause else LEGEND[piece.kind]
        wanted.append((drawing.place(piece.start_ms), f"{word} {duration(piece.end_ms - piece.start_ms)}"))
    found: dict[int, _Label] = {}
    for width_px in (_NARROW_PX, _WIDE_PX):
        taken = [_room(label.text, label.place, width_px, at_end=label.at_end) for label in found.values()]
        for index, (place, text) in enumerate(wanted):
            if index in found:
                continue
            at_end = _room(text, place, width_px)[1] > WHOLE
            start, end = _room(text, place, width_px, at_end=at_end)
            if all(end <= other_start or other_end <= start for other_start, other_end in taken):
                taken.append((start, end))
                found[index] = _Label(text, place, at_end, width_px == _NARROW_PX)
    return list(found.values())


def _room(text: str, place: int, width_px: int, *, at_end: bool = False) -> tuple[float, float]:
    width = (len(text) * _CHARACTER_PX + 10) * WHOLE / width_px
    return (WHOLE - width, WHOLE) if at_end else (place, place + width)


def _label(label: _Label) -> str:
    where = 'x="100%" text-anchor="end"' if label.at_end else f'x="{_percent(label.place)}"'
    return f'<text class="tl-label{"" if label.narrow else " tl-wide"}" {where} y="14">{escape(label.text)}</text>'


def _clock_start(session: SessionView) -> datetime | None:
    return None if session.clock is ClockTrust.UNSET else session.started_at


def _ticks(drawing: Drawing, start: datetime | None, zone: tzinfo | None) -> list[str]:
    """Clock times under the bar, or times from the start where the kiosk did not know the time."""
    step_ms = next(
        (step_s * 1_000 for step_s in _STEPS_S if drawing.length_ms <= _TICKS * step_s * 1_000),
        -(-drawing.length_ms // (_TICKS * _DAY_MS)) * _DAY_MS,
    )
    local = start.astimezone(zone) if start else None
    into_day_ms = 0 if local is None else ((local.hour * 60 + local.minute) * 60 + local.second) * 1_000
    first_ms = -into_day_ms % step_ms
    parts = []
    for index, at_ms in enumerate(range(first_ms, drawing.length_ms + 1, step_ms)):
        place = drawing.place(at_ms)
        anchor = "start" if place < WHOLE // 14 else "end" if place > WHOLE - WHOLE // 14 else "middle"
        text = duration(at_ms)
        if start is not None:
            shape = "%H:%M" if step_ms >= 60_000 else "%H:%M:%S"
            text = (start + timedelta(milliseconds=at_ms)).astimezone(zone).strftime(shape)
        wide = " tl-wide" if index % 2 else ""
        parts.append(f'<rect class="tl-tick" x="{_percent(place)}" y="{_BAR_Y + _BAR_HEIGHT}" width="1" height="5"/>')
        parts.append(
            f'<text class="tl-time{wide}" x="{_percent(place)}" y="{_BAR_Y + 52}" text-anchor="{anchor}">{text}</text>'
        )
    return parts


_STEPS_S: Final = (15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200)
_DAY_MS: Final = 86_400_000
_TICKS: Final = 7
_BAR_Y: Final = 22
_BAR_HEIGHT: Final = 32
_LINE_Y: Final = 86
_NARROW_PX: Final = 290
_WIDE_PX: Final = 900
_CHARACTER_PX: Final = 7.8
_PATTERNED: Final = frozenset({Kind.BUFFERED, Kind.PAUSED, Kind.INTERRUPTED})
