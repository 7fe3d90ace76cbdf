"""The screens of a session. A child reads them: few words, no hint at the button until the last two minutes."""

from typing import Any, Final

from device.screen import cards, trouble
from device.screen.draw import draw
from device.screen.model import Clock, Screen, View
from device.screen.press import Does
from device.screen.scene import Scene, duration, whole_minutes, whole_seconds
from device.screen.signal_words import camera
from device.screen.tiles import tiles
from device.session import lateness, limits
from device.session.clock import NS_PER_MS
from device.session.states import ROLES, Phase, Session

LAST_MS: Final = 2 * 60_000
"""In the last two minutes the screen says how to end."""
TOO_MANY_PAUSES: Final = 4


def in_session(scene: Scene, session: Session) -> View:
    """What is shown while `session` runs."""
    match scene.state.phase:
        case Phase.STARTING:
            return _starting(scene, session)
        case Phase.PAUSED:
            return _paused(scene, session)
        case Phase.ENDING:
            return _ending(scene)
        case _:
            return _running(scene, session)


def _starting(scene: Scene, session: Session) -> View:
    do, then = cards.trouble(scene, session)
    return draw(
        scene, Screen.STARTING, scene.w.starting, do=do or scene.w.cameras_start, then=then or _missing(scene),
        clock=_clock(scene), card=cards.confirmed(scene, session), offer=cards.offer(scene, session),
    )  # fmt: skip


def _running(scene: Scene, session: Session) -> View:
    w = scene.w
    parts: dict[str, Any] = {"clock": _clock(scene), "tiles": tiles(scene), "tiles_on_tap": True} | _bar(scene, session)
    hint, hint_then = _last_minutes(scene, session)
    parts |= {"card": cards.confirmed(scene, session), "offer": cards.offer(scene, session)}
    card, card_then = cards.trouble(scene, session)
    problem, problem_then = (card, card_then) if card else _problem(scene)
    if card and scene.state.phase is Phase.BUFFERING:
        return draw(scene, Screen.OFFLINE, w.offline, do=card, then=card_then, **parts)
    if scene.state.phase is Phase.BUFFERING:
        number = scene.place.therapist_call or scene.place.help_call
        do = w.offline_do_call.format(number=number) if number else w.offline_do
        kept = w.offline_kept_pictures if scene.snapshot.is_recorded else w.offline_kept
        then = kept if not hint else f"{kept} {hint}"
        return draw(scene, Screen.OFFLINE, w.offline, do=do, then=then, **parts)
    if problem:
        hint = ""
    therapist = _therapist(scene)
    if therapist is False:
        return draw(
            scene, Screen.WAITING, w.waiting, do=problem or hint or _late(scene) or w.begin_activity,
            then=problem_then or hint_then or w.connected, **parts,
        )  # fmt: skip
    then = w.therapist_joined if therapist else w.connected
    return draw(scene, Screen.LIVE, w.in_session, do=problem or hint, then=problem_then or hint_then or then, **parts)


def _last_minutes(scene: Scene, session: Session) -> tuple[str, str]:
    """How to end, shown from two minutes before the planned end on (without one: before it ends by itself)."""
    w, (does, booking) = scene.w, scene.press
    planned = session.planned_end_ns
    if scene.left_ms(session.ends_ns if planned is None else planned) > LAST_MS:
        return "", ""
    do = w.hold_to_end
    if does is Does.NEXT and booking:
        do = w.press_next.format(time=scene.time_of_day(booking.start))
    then = w.tap_for_time
    if planned is not None and scene.now_ns >= planned:
        then = w.past_end.format(minutes=w.minutes(whole_minutes(scene.left_ms(session.ends_ns))))
    return do, then


def _problem(scene: Scene) -> tuple[str, str]:
    """The one thing that somebody in the room can do for the session that runs."""
    w = scene.w
    if pressed_too_often(scene):
        return w.move_button, w.move_button_why
    missing = _missing(scene)
    signal = trouble.worst_in_session(scene)
    if signal and signal.id != "camera.missing":
        return trouble.said(scene, signal).do, missing
    if missing:
        return "", f"{missing} {w.session_goes_on}"
    return "", ""


def pressed_too_often(scene: Scene) -> bool:
    """Four pauses within two minutes: a child has the button."""
    recent = [one for one in scene.state.pauses if scene.now_ns - one < limits.PAUSES_WITHIN_NS]
    return len(recent) >= TOO_MANY_PAUSES


def _missing(scene: Scene) -> str:
    """Which cameras give no picture. Nobody is told to unplug the kiosk in the middle of a session."""
    w, known = scene.w, scene.state.cameras
    roles = [role for role in ROLES if role in known and known[role].missing]
    if len(roles) == len(ROLES):
        return w.no_picture_at_all
    return w.no_picture_from.format(camera=camera(w, roles[0])) if roles else ""


def _therapist(scene: Scene) -> bool | None:
    """Whether the therapist is there; None where nothing can know it."""
    spans = scene.record.spans if scene.record else ()
    return spans[-1].therapist if spans else None


def _late(scene: Scene) -> str:
    """That the therapist said to come later; the activity can begin all the same."""
    minutes = lateness.late_min(scene.state)
    return scene.w.therapist_late.format(minutes=scene.w.minutes(minutes)) if minutes else ""


def _clock(scene: Scene) -> Clock | None:
    return None if scene.elapsed_ms is None else Clock(elapsed_ms=scene.elapsed_ms, ticking=True)


def _bar(scene: Scene, session: Session) -> dict[str, Any]:
    """How far the session is: to its planned end, or without one to the moment at which it ends by itself."""
    elapsed_ms, w = scene.elapsed_ms, scene.w
    if elapsed_ms is None:
        return {}
    planned = session.planned_end_ns
    end_ns = session.ends_ns if planned is None else planned
    total_ms = elapsed_ms + (end_ns - scene.now_ns) // NS_PER_MS
    if total_ms <= 0:
        return {}
    label = w.ends_itself_at.format(time=duration(total_ms + 500))
    if planned is not None:
        label = w.until.format(time=scene.time_of_day(scene.wall_at(planned))) if scene.clock_set else ""
    return {"bar": min(1.0, elapsed_ms / total_ms), "bar_of_ms": total_ms, "bar_label": label}


def _paused(scene: Scene, session: Session) -> View:
    w, state = scene.w, scene.state
    if state.countdown_ns is not None:
        left_ms = scene.left_ms(state.countdown_ns)
        return draw(
            scene, Screen.PAUSED, w.going_on_in.format(seconds=whole_seconds(left_ms)), headline_pattern=w.going_on_in,
            do=w.press_stay, countdown_to_ms=left_ms, countdown_of_ms=limits.RESUME_COUNTDOWN_NS // NS_PER_MS,
        )  # fmt: skip
    then = w.ends_itself_in.format(minutes=w.minutes(whole_minutes(scene.left_ms(limits.ends_ns(state, session)))))
    if pressed_too_often(scene):
        return draw(scene, Screen.PAUSED, w.paused, do=f"{w.move_button} {w.press_go_on}", then=then)
    do = w.paused_closing if any(one.open for one in state.cameras.values()) else w.paused_off
    return draw(scene, Screen.PAUSED, w.paused, do=do, then=then)


def _ending(scene: Scene) -> View:
    w, ending = scene.w, scene.state.ending
    left_ms = scene.left_ms(ending.deadline_ns) if ending else 0
    return draw(
        scene, Screen.ENDING, w.ending_in.format(seconds=whole_seconds(left_ms)), headline_pattern=w.ending_in,
        do=w.press_undo_paused if ending and ending.was_paused else w.press_undo,
        countdown_to_ms=left_ms, countdown_of_ms=limits.ENDING_NS // NS_PER_MS,
    )  # fmt: skip
