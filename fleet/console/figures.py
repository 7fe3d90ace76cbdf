"""The figures of one session in words: never one number, never a number for what nobody knows. Pure."""

from dataclasses import dataclass
from typing import Final

from fleet.console.layout import CAUSES
from fleet.console.standing import GOING_ON
from fleet.times import duration
from fleet.views import SessionView
from wire.minutes import Bounds, Minutes, Mode, Span


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table: a word, a length or what stands in its place, and what the word means."""

    word: str
    value: str
    meaning: str
    known: bool = True
    part: bool = False
    """Whether it is a part of the row above it."""


def figures(minutes: Minutes, *, going_on: bool = False) -> tuple[Figure, ...]:
    """The table of `minutes`, in reading order: running, paused and interrupted add up to elapsed.

    Args:
        minutes: the figures.
        going_on: whether the session has not ended, so that its planned end, which may have moved, is not known here.
    """
    past_plan = minutes.planned_ms is not None and minutes.elapsed_ms > minutes.planned_ms
    overrun_ms: int | None = minutes.overrun_ms
    no_overrun = ""
    if minutes.planned_ms is None or (going_on and past_plan and not minutes.overrun_ms):
        overrun_ms = None
        no_overrun = "not planned" if minutes.planned_ms is None else "known when it ends"
    interrupted = minutes.interrupted_ms.items()
    rows = [
        _figure("Planned", minutes.planned_ms, "as booked", "not planned"),
        _figure("Elapsed", minutes.elapsed_ms, "so far" if going_on else "from the start to the end"),
        _figure("Running", minutes.running_ms, "neither paused nor interrupted", part=True),
        _figure("Paused", minutes.paused_ms, "by a person; cameras and microphone off", part=True),
    ]
    if not interrupted:
        rows.append(_figure("Interrupted", 0, "by power, cameras or people", part=True))
    rows += [
        _figure(f"Interrupted: {CAUSES.get(cause, cause)}", ms, _CAUSE_MEANINGS.get(cause, ""), part=True)
        for cause, ms in interrupted
    ]
    if minutes.bounds:
        rows.append(_uncertain(minutes.bounds))
    elif minutes.unknown_gaps:
        rows.append(
            Figure(
                "Interrupted: length unknown",
                "1 time" if minutes.unknown_gaps == 1 else f"{minutes.unknown_gaps} times",
                "the clock was not set; counted as 0:00",
                known=False,
                part=True,
            )
        )
    rows += [
        _figure("Without network", minutes.buffered_ms, "of the running time"),
        _figure("All needed cameras", minutes.camera_ms, "of the running time, with pictures"),
        *(
            _figure(_CAMERAS.get(role, role), ms, "of the running time, with pictures", part=True)
            for role, ms in minutes.cameras_ms.items()
        ),
        _figure("Therapist connected", minutes.connected_ms, "of the running time"),
        _figure("Overrun", overrun_ms, "past the planned end", no_overrun),
        _figure("Provided", minutes.provided_ms, "what a clinician confirmed", "not confirmed"),
    ]
    return tuple(rows)


def so_far(session: SessionView, silent_ms: int = 0) -> SessionView:
    """A session that goes on, drawn on to when its kiosk was last heard, with what held at its last row.

    A session that nothing happens in writes no rows, so its last row may be minutes old. The split still adds up.

    Args:
        session: the session; one that has ended is given back as it is.
        silent_ms: for how long the kiosk has not been heard.
    """
    more_ms = int((session.age_s or 0) * 1_000) - silent_ms
    if session.state not in GOING_ON or more_ms <= 0:
        return session
    elapsed_ms = session.minutes.elapsed_ms
    last = session.timeline[-1] if session.timeline else Span(start_ms=0, end_ms=elapsed_ms, mode=Mode.RUNNING)
    told = session.minutes
    changes: dict[str, object] = {"elapsed_ms": elapsed_ms + more_ms}
    match last.mode:
        case Mode.PAUSED:
            changes["paused_ms"] = told.paused_ms + more_ms
        case Mode.INTERRUPTED:
            cause = last.cause or "unknown"
            changes["interrupted_ms"] = told.interrupted_ms | {cause: told.interrupted_ms.get(cause, 0) + more_ms}
        case Mode.RUNNING:
            changes["running_ms"] = told.running_ms + more_ms
            if not last.link_up:
                changes["buffered_ms"] = told.buffered_ms + more_ms
            changes["cameras_ms"] = {
                role: ms + (more_ms if role in last.cameras else 0) for role, ms in told.cameras_ms.items()
            }
            if set(told.cameras_ms) <= set(last.cameras):
                changes["camera_ms"] = told.camera_ms + more_ms
            if told.connected_ms is not None and last.therapist:
                changes["connected_ms"] = told.connected_ms + more_ms
    if told.bounds:
        most_ms = told.bounds.elapsed_max_ms
        changes["bounds"] = told.bounds.model_copy(
            update={
                "elapsed_min_ms": told.bounds.elapsed_min_ms + more_ms,
                "elapsed_max_ms": None if most_ms is None else most_ms + more_ms,
            }
        )
    if told.overrun_ms:
        changes["overrun_ms"] = told.overrun_ms + more_ms
    longer = last.model_copy(update={"end_ms": last.end_ms + more_ms})
    return session.model_copy(
        update={"minutes": told.model_copy(update=changes), "timeline": (*session.timeline[:-1], longer)}
    )


def _figure(word: str, ms: int | None, meaning: str, unknown: str = "not known", *, part: bool = False) -> Figure:
    if ms is None:
        return Figure(word, unknown, meaning, known=False, part=part)
    return Figure(word, duration(ms), meaning, part=part)


def _uncertain(bounds: Bounds) -> Figure:
    """How much of the interruptions no clock could tell, and what they are counted as."""
    least, most = duration(bounds.lost_min_ms), bounds.lost_max_ms
    value = f"{least} to {duration(most)}" if most is not None else f"at least {least}"
    if most is None and bounds.lost_min_ms < 1_000:
        value = "not known"
    counted = duration(sum(gap.counted_ms for gap in bounds.gaps))
    meaning = f"over a restart with no clock set; counted as {counted}"
    return Figure("Interrupted: not certain", value, meaning, known=False, part=True)


_CAUSE_MEANINGS: Final = {
    "power": "the kiosk had no power",
    "camera": "no needed camera gave a picture",
    "person": "ended, and continued soon after",
    "unknown": "the kiosk cannot say why",
}
_CAMERAS: Final = {"overhead": "Desk camera", "front": "Front camera"}
