"""From a snapshot of the kiosk to everything its page shows: pure, and nothing is claimed that is not known."""

from device.screen.calling import with_call
from device.screen.draw import draw
from device.screen.idle import idle
from device.screen.in_session import in_session
from device.screen.model import Screen, View
from device.screen.scene import Scene, whole_seconds
from device.screen.words import words_in
from device.session import limits
from device.session.clock import NS_PER_MS
from device.session.states import IN_SESSION, Phase
from device.snapshot import Snapshot
from wire.minutes import Mode


def view(snapshot: Snapshot, language: str) -> View:
    """The page for `snapshot` in `language`; one that there is no catalogue for reads as English."""
    scene = Scene(snapshot, words_in(language).language)
    return with_call(scene, _view(scene))


def _view(scene: Scene) -> View:
    state = scene.state
    if state.session and state.phase in IN_SESSION:
        return in_session(scene, state.session)
    if state.session and state.countdown_ns is not None:
        return _after_power(scene, state.countdown_ns)
    if scene.snapshot.identify:
        return _identify(scene)
    match state.phase:
        case Phase.BOOTING:
            then = scene.w.heard if state.boot_press else ""
            return draw(scene, Screen.BOOTING, scene.w.booting, do=scene.w.booting_do, then=then)
        case Phase.FAULT:
            return _fault(scene)
        case _:
            return idle(scene)


def _after_power(scene: Scene, until_ns: int) -> View:
    """The announced countdown before a session goes on; the cause of the gap is named only where it is known."""
    w, spans = scene.w, scene.record.spans if scene.record else ()
    causes = [span.cause for span in spans if span.mode is Mode.INTERRUPTED]
    left_ms = scene.left_ms(until_ns)
    return draw(
        scene, Screen.COUNTDOWN_POWER, w.power_was_out if causes[-1:] == ["power"] else w.was_interrupted,
        do=w.goes_on_in.format(seconds=whole_seconds(left_ms)), do_pattern=w.goes_on_in,
        countdown_to_ms=left_ms, countdown_of_ms=limits.POWER_COUNTDOWN_NS // NS_PER_MS,
    )  # fmt: skip


def _identify(scene: Scene) -> View:
    return draw(scene, Screen.IDENTIFY, scene.place.room, do=scene.place.kiosk)


def _fault(scene: Scene) -> View:
    w, number = scene.w, scene.place.help_call
    headline = w.call_number_for_help.format(number=number) if number else w.call_for_help
    return draw(scene, Screen.FAULT, headline, do=w.cannot_keep_record, then=w.no_start_now)
