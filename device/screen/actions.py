"""Which controls exist now. One that would be refused is not offered: the machine itself is asked what it would do."""

from typing import Final

from device.errors import Refused
from device.screen.model import Action, Kind, Screen
from device.screen.press import Does
from device.screen.scene import Scene
from device.screen.words import TABLES
from device.session import limits, whys, windows
from device.session.machine import step
from device.session.states import Asked, Phase, Why

_CAN_HOLD: Final = frozenset({Phase.LIVE, Phase.BUFFERING, Phase.PAUSED})
_STILL_HERE_FROM_MS: Final = 5 * 60_000
"""A session that would end by itself sooner than this offers "We are still here"."""
_MOST_STUDENTS: Final = 8


def actions(scene: Scene, screen: Screen) -> tuple[Action, ...]:
    """The controls, in the order in which they stand."""
    if screen is Screen.IDENTIFY:
        return ()
    running = scene.state.phase in _CAN_HOLD
    found = _button(scene)
    if running:
        found += _more_time(scene) + _student(scene)
    elif screen in {Screen.READY, Screen.NOT_READY, Screen.REFUSED}:
        found += _absent(scene)
    if why_asked(scene, screen):
        found += _reasons(scene)
    if screen not in {Screen.BOOTING, Screen.COUNTDOWN_POWER, Screen.STARTING, Screen.ENDING}:
        found += _help(scene)
    if screen in {Screen.READY, Screen.NOT_READY}:
        found.append(Action(kind=Kind.GO, name="commission", value="/commission", label=scene.w.act_commission))
    return tuple(found)


def _button(scene: Scene) -> list[Action]:
    w, (does, booking) = scene.w, scene.press
    time = scene.time_of_day(booking.start) if booking else ""
    is_early = booking is not None and booking.start > scene.snapshot.at.wall
    start_booking = w.act_start_early if is_early else w.act_start_booking
    labels = {
        Does.START: start_booking.format(time=time) if booking else w.act_start,
        Does.CONTINUE: w.act_continue,
        Does.ASK: w.act_start,
        Does.REFUSED: w.act_start,
        Does.HEARD: w.act_press,
        Does.PAUSE: w.act_pause,
        Does.NEXT: w.act_next.format(time=time),
        Does.GO_ON: w.act_go_on,
        Does.STAY: w.act_stay,
        Does.UNDO: w.act_continue,
    }
    if scene.state.phase in {Phase.LIVE, Phase.BUFFERING}:
        labels[Does.NOTHING] = w.act_pause  # in the first seconds a press does nothing yet, and soon it will
    found = [Action(kind=Kind.PRESS, name="press", label=labels[does])] if does in labels else []
    if scene.state.phase in _CAN_HOLD:
        found.append(Action(kind=Kind.HOLD, name="hold", label=w.act_hold))
    return found


def _more_time(scene: Scene) -> list[Action]:
    w = scene.w
    found = [
        _ask("extend", str(n), w.act_extend.format(n=n), w.act_extend_done(n))
        for n in (5, 10, 15)
        if scene.state.phase is not Phase.PAUSED
    ]
    if _still_here_helps(scene):
        found.append(_ask("still-here", "", w.act_still_here, w.act_still_here_done))
    return found


def _still_here_helps(scene: Scene) -> bool:
    """Whether the session ends by itself soon, and later when somebody says that they are here."""
    state, now = scene.state, scene.snapshot.at
    if state.session is None:
        return False
    try:
        after, _ = step(state, Asked("still-here"), now)
    except Refused:
        return False
    assert after.session is not None
    ends_ns = limits.ends_ns(state, state.session)
    return scene.left_ms(ends_ns) <= _STILL_HERE_FROM_MS and limits.ends_ns(after, after.session) > ends_ns


def _student(scene: Scene) -> list[Action]:
    booking = scene.state.session.booking if scene.state.session else None
    if booking is None or not booking.students:
        return []
    wrong = _ask("not-this-student", "", scene.w.act_not_student, scene.w.act_not_student_done)
    return [wrong, *_absent(scene)]


def _absent(scene: Scene) -> list[Action]:
    w, state = scene.w, scene.state
    booking = state.session.booking if state.session else None
    booking = booking or windows.due(state.schedule, scene.snapshot.at, state.done)
    students = booking.students if booking else ()
    if len(students) == 1:
        return [_ask("absent", "", w.act_absent, w.act_written)]
    return [
        _ask("absent", student, w.act_absent_one.format(student=student), w.act_written)
        for student in students[:_MOST_STUDENTS]
    ]


def why_asked(scene: Scene, screen: Screen) -> Why | None:
    """What was not as planned, and is asked about on this screen."""
    if screen not in {Screen.READY, Screen.NOT_READY, Screen.REFUSED, Screen.ENDED}:
        return None
    return whys.wanted(scene.state, scene.snapshot.at)


def question(scene: Scene, why: Why) -> str:
    """What the room is asked, such as `Why did the 10:15 end early?`."""
    w, booking = scene.w, why.booking
    if booking is None or not scene.clock_set:
        return w.why_it_ended
    pattern = {"ended-early": w.why_ended, "not-started": w.why_not_started}.get(why.about, w.why_not_held)
    return pattern.format(time=scene.time_of_day(booking.start))


def _reasons(scene: Scene) -> list[Action]:
    w = scene.w
    found = [_ask("reason", name, w.reasons[name], w.act_written) for name in whys.REASONS]
    return [*found, _ask("skip-reason", "", w.act_skip, w.act_skipped)]


def _help(scene: Scene) -> list[Action]:
    w, is_open = scene.w, scene.state.help_call is not None
    written = w.act_other_done if scene.state.link_up else w.act_other_done_offline
    call = _ask("help-over", "", w.act_help_over) if is_open else _ask("help", "adult", w.act_help)
    return [call, _ask("help", "other", w.act_other, written)]


def languages(scene: Scene) -> tuple[Action, ...]:
    """Every other language, by the name that it has for itself."""
    return tuple(
        _ask("language", name, words.language_name) for name, words in TABLES.items() if name != scene.language
    )


def _ask(name: str, value: str, label: str, done: str = "") -> Action:
    return Action(kind=Kind.ASK, name=name, value=value, label=label, done=done)
