"""The footer: the room, how the link stands, what is kept, whom to call."""

from device.screen.calling import extension
from device.screen.model import Clock, Foot, Screen
from device.screen.scene import Scene
from device.session.clock import NS_PER_MS
from device.session.states import IN_SESSION


def footer(scene: Scene, screen: Screen) -> tuple[Foot, ...]:
    """The texts, left to right."""
    texts = [_room(scene, screen), *_session(scene, screen), *_link(scene, screen), *_clock(scene)]
    if scene.snapshot.unwritten:
        texts.append(Foot(text=scene.w.not_on_disk, strong=True))
    return tuple(texts)


def help_line(scene: Scene) -> str:
    """Whom to call; empty when nobody is named."""
    number = extension(scene)
    return scene.w.help_call.format(number=number) if number else ""


def _room(scene: Scene, screen: Screen) -> Foot:
    place = scene.place
    asked = scene.snapshot.identify and place.kiosk != place.room and screen is not Screen.IDENTIFY
    return Foot(text=f"{place.room} · {place.kiosk}" if asked else place.room, strong=True)


def _session(scene: Scene, screen: Screen) -> list[Foot]:
    w, state = scene.w, scene.state
    match screen:
        case Screen.PAUSED:
            paused_ms = max(0, (scene.now_ns - state.paused_ns) // NS_PER_MS)
            return [Foot(text=w.foot_paused, clock=Clock(elapsed_ms=paused_ms, ticking=True))]
        case Screen.ENDING if scene.elapsed_ms is not None and state.ending:
            since_hold_ms = (scene.now_ns - state.ending.held_ns) // NS_PER_MS
            held_ms = max(0, scene.elapsed_ms - since_hold_ms)
            return [Foot(text=w.foot_session, clock=Clock(elapsed_ms=held_ms, ticking=False))]
        case Screen.STARTING | Screen.WAITING | Screen.LIVE | Screen.OFFLINE:
            return [Foot(text=w.recorded if scene.snapshot.is_recorded else w.not_recorded)]
        case Screen.ENDED if not scene.snapshot.unwritten:
            return [Foot(text=_sent(scene))]
        case _:
            return []


def _clock(scene: Scene) -> list[Foot]:
    """How far the time shown may be believed, where it may not; in a session it helps nobody."""
    if scene.state.phase in IN_SESSION:
        return []
    if not scene.clock_set:
        return [Foot(text=scene.w.clock_unset)]
    doubted = any(one.id == "clock.unset" or one.evidence.get("refused") for one in scene.snapshot.signals)
    return [Foot(text=scene.w.clock_doubted)] if doubted else []


def _sent(scene: Scene) -> str:
    rows, segments = scene.snapshot.backlog_rows, scene.snapshot.recording.segments
    if rows == 0:
        return scene.w.recordings_wait if segments else scene.w.all_sent
    return scene.w.facts_wait(rows)


def _link(scene: Scene, screen: Screen) -> list[Foot]:
    w, state = scene.w, scene.state
    if screen in {Screen.BOOTING, Screen.COUNTDOWN_POWER, Screen.FAULT}:
        return []
    if state.link_up:
        quiet = state.phase in IN_SESSION or screen is Screen.ENDED
        return [] if quiet else [Foot(text=w.online)]
    if scene.snapshot.link_since is None and state.phase not in IN_SESSION:
        return [Foot(text=w.connecting)]
    age = scene.age_of(scene.snapshot.link_since)
    return [Foot(text=w.no_network_for.format(age=age) if age else w.no_network)]
