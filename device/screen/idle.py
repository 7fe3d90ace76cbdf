"""The screens outside a session: ready, not ready, asking, cannot start, ended."""

from typing import Any, Final

from device.screen import looked, trouble
from device.screen.draw import draw
from device.screen.lost import interrupted_for, lost
from device.screen.model import Figure, Screen, Shape, Tone, View
from device.screen.press import Does, refusal
from device.screen.scene import Scene, duration, whole_minutes
from device.screen.signal_words import CALM, signal_words
from device.screen.tiles import tiles
from device.session import limits, windows
from device.session.clock import NS_PER_MS, NS_PER_S
from device.session.states import LastSession
from wire.schedule import Booking
from wire.signals import Severity, Verdict

ENDED_SHOWN_NS: Final = 120 * NS_PER_S
_WORTH_SAYING_MS: Final = 1_000
ANNOUNCED_MIN: Final = (30, 5, 1)
"""Minutes before a booking at which the page says so."""
ANNOUNCED_FOR_S: Final = 20
_COUNTED_S: Final = 3_600
"""From an hour before on, the next booking stands with what is left until then."""


def idle(scene: Scene) -> View:
    """What is shown while no session runs."""
    state = scene.state
    if state.asked_until_ns is not None and scene.left_ms(state.asked_until_ns):
        return _asking(scene, state.asked_until_ns)
    reason = refusal(state, scene.snapshot.at)
    if state.refused and reason:
        return _refused(scene, reason)
    if state.last and 0 <= scene.now_ns - state.last.ended_ns < ENDED_SHOWN_NS:
        return _ended(scene, state.last)
    if reason:
        return _refused(scene, reason)
    return _standing(scene)


def _standing(scene: Scene) -> View:
    """Ready or not, by the worst of what is wrong."""
    w, signal = scene.w, trouble.worst(scene)
    blocked = signal is not None and signal.severity is Severity.BLOCKED
    do, then = _start_line(scene)
    parts: dict[str, Any] = {"do": do, "then": then, "notice": soon(scene), "tiles": tiles(scene)}
    if scene.state.stuck and not blocked:
        words = signal_words(w, "button.stuck", None)
        return draw(scene, Screen.NOT_READY, words.headline, **parts | {"do": words.do, "then": w.tap_to_start})
    if (signal is None or signal.id in CALM) and (shown := looked.looking(scene, parts)) is not None:
        return shown  # what somebody can do something about is said all the same, and at once
    if signal is None:
        return looked.found(scene, parts) or _by_verdict(scene, parts)
    words = trouble.said(scene, signal)
    if signal.id in CALM:
        return draw(scene, Screen.NOT_READY, words.headline, **parts | {"then": words.do})
    if signal.id != "session.overdue":  # the line about the booking says that already
        parts |= {"do": words.do, "then": trouble.consequence(scene, signal, words.means)}
    if blocked:
        parts |= {"tone": Tone.BLOCKED, "shape": Shape.STOP}
    return draw(scene, Screen.NOT_READY, words.headline, **parts)


def _by_verdict(scene: Scene, parts: dict[str, Any]) -> View:
    """Nothing is known to be wrong; ready is only what was judged to be."""
    w = scene.w
    match scene.snapshot.verdict:
        case Verdict.READY:
            parts["then"] = " ".join(text for text in (parts["then"], looked.well(scene)) if text)
            return draw(scene, Screen.READY, w.ready, **parts)
        case Verdict.UNKNOWN:
            return draw(scene, Screen.READY, w.checking, **parts | {"tone": Tone.UNKNOWN, "shape": Shape.QUESTION})
        case _:
            return draw(scene, Screen.NOT_READY, w.you_can_start, **parts | {"then": w.something_wrong})


def _start_line(scene: Scene) -> tuple[str, str]:
    """What the button does, and the small line about the booking behind it."""
    w, (does, booking) = scene.w, scene.press
    if does is Does.START and booking:
        return w.press_booking.format(time=scene.time_of_day(booking.start)), _booking_line(scene, booking)
    if does is Does.ASK:
        coming = _next(scene)
        return coming or w.nothing_planned, _called_off(scene) or w.no_booking_possible
    return w.press_start, ""


def _booking_line(scene: Scene, booking: Booking) -> str:
    w = scene.w
    planned = w.minutes(booking.planned_ms // 60_000)
    if booking.late_min:
        return w.therapist_late.format(minutes=w.minutes(booking.late_min))
    wait_s = (booking.start - scene.snapshot.at.wall).total_seconds()
    if wait_s > 0:
        return w.starts_in.format(minutes=planned, wait=w.minutes(whole_minutes(int(wait_s * 1_000))))
    late = int(-wait_s // 60)
    if late < 1:
        return w.starts_due.format(minutes=planned)
    return w.due_for.format(minutes=planned, late=w.minutes(late))


def _next(scene: Scene) -> str:
    booking = windows.upcoming(scene.state.schedule, scene.snapshot.at, scene.state.done)
    if booking is None:
        return ""
    w, time = scene.w, scene.time_of_day(booking.start)
    wait_s = (booking.start - scene.snapshot.at.wall).total_seconds()
    if wait_s <= 0 or wait_s > _COUNTED_S:
        return w.next_at.format(time=time)
    return w.next_in.format(time=time, wait=w.minutes(whole_minutes(int(wait_s * 1_000))))


def soon(scene: Scene) -> str:
    """The soft announcement 30, 5 and 1 minutes before the next booking; empty at any other moment."""
    booking = windows.upcoming(scene.state.schedule, scene.snapshot.at, scene.state.done)
    if booking is None:
        return ""
    w, wait_s = scene.w, (booking.start - scene.snapshot.at.wall).total_seconds()
    for minutes in ANNOUNCED_MIN:
        if 0 <= minutes * 60 - wait_s < ANNOUNCED_FOR_S:
            return w.soon.format(time=scene.time_of_day(booking.start), wait=w.minutes(minutes))
    return ""


def _called_off(scene: Scene) -> str:
    """What will not be held, and why; a reason of which the page has no words is not shown, it might name somebody."""
    off = windows.called_off(scene.state.schedule, scene.snapshot.at)
    if not off:
        return ""
    w, (start, reason) = scene.w, off[0]
    why, time = w.reasons.get(reason), scene.time_of_day(start)
    return w.called_off_why.format(time=time, why=why) if why else w.called_off.format(time=time)


def _asking(scene: Scene, until_ns: int) -> View:
    w, (does, booking) = scene.w, scene.press
    held = windows.usable(scene.state.schedule, scene.snapshot.at)
    if does is Does.START and booking:
        headline, do = w.start_now, w.press_again_booking.format(time=scene.time_of_day(booking.start))
    elif held is None:
        headline, do = w.start_now, w.press_again
    else:
        headline, do = w.nothing_planned_now, w.press_again_unplanned
    return draw(
        scene, Screen.ASKING, headline, do=do, then=_next(scene) if booking is None else "",
        countdown_to_ms=scene.left_ms(until_ns), countdown_of_ms=limits.ASK_NS // NS_PER_MS,
    )  # fmt: skip


def _refused(scene: Scene, reason: str) -> View:
    w, number = scene.w, scene.place.help_call
    not_helped = w.not_helped_call.format(number=number) if number else w.not_helped
    match reason:
        case "no-camera":
            return draw(scene, Screen.REFUSED, w.cannot_start, do=w.no_camera, then=not_helped, tiles=tiles(scene))
        case "update":
            return draw(scene, Screen.REFUSED, w.cannot_start_yet, do=w.updating)
        case _:
            return draw(scene, Screen.REFUSED, w.cannot_start, do=w.no_storage)


def _ended(scene: Scene, last: LastSession) -> View:
    w, (does, booking) = scene.w, scene.press
    do = then = ""
    if does is Does.CONTINUE:
        then = w.press_continue
    elif does is Does.START and booking:
        do = w.press_booking.format(time=scene.time_of_day(booking.start))
    why = {"power": w.ended_power, "kiosk": w.ended_itself, "fleet": w.ended_fleet}.get(last.by, "")
    coming = _next(scene) if not do else ""
    then = " ".join(text for text in (why, lost(scene), coming, then) if text)
    return draw(scene, Screen.ENDED, w.ended, do=do, then=then, notice=soon(scene), figures=_figures(scene))


def _figures(scene: Scene) -> tuple[Figure, ...]:
    """The minutes that are known; what did not happen has no line."""
    if scene.record is None:
        return ()
    w, minutes = scene.w, scene.record.minutes
    found = [Figure(label=w.figure_session, value=duration(minutes.elapsed_ms))]
    if minutes.planned_ms is not None:
        found.append(Figure(label=w.figure_planned, value=duration(minutes.planned_ms)))
    for label, ms in ((w.figure_offline, minutes.buffered_ms), (w.figure_paused, minutes.paused_ms)):
        if ms >= _WORTH_SAYING_MS:
            found.append(Figure(label=label, value=duration(ms)))
    interrupted = interrupted_for(scene, minutes)
    if interrupted:
        found.append(Figure(label=w.figure_interrupted, value=interrupted))
    return tuple(found)
