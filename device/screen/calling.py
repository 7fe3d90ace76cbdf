"""What the page says of a call for an adult: over whatever else there is to do, until help has come."""

from typing import Final

from device.screen.model import Action, Kind, Screen, View
from device.screen.scene import Scene
from device.session.states import HelpCall

_SHOWN: Final = frozenset({
    Screen.READY, Screen.NOT_READY, Screen.WAITING, Screen.LIVE, Screen.OFFLINE, Screen.PAUSED, Screen.ENDED,
    Screen.REFUSED, Screen.FAULT,
})  # fmt: skip
"""Not where seconds are counted down; those are over soon."""


def with_call(scene: Scene, found: View) -> View:
    """The view with the call in it, if one is open."""
    call = scene.state.help_call
    if call is None or found.screen not in _SHOWN or found.countdown_to_ms is not None:
        return found
    w = scene.w
    over = Action(kind=Kind.ASK, name="help-over", label=w.act_help_over, done="")
    return found.model_copy(
        update={"do": _line(scene, call), "do_pattern": "", "then": w.call_no_emergency, "offer": over, "figures": ()}
    )


def _line(scene: Scene, call: HelpCall) -> str:
    w, number = scene.w, extension(scene)
    if call.answered_by is not None:
        who = w.roles.get(call.answered_by, w.roles["somebody"])
        return w.call_answered.format(who=who)
    if not scene.state.link_up:
        return w.call_offline_number.format(number=number) if number else w.call_offline
    if call.is_late:
        return w.call_unanswered_number.format(number=number) if number else w.call_unanswered
    return w.call_waits


def extension(scene: Scene) -> str:
    """Whom to call by telephone: the office as the schedule has it, else the number in kiosk.toml."""
    held = scene.state.schedule
    return (held.office if held else None) or scene.place.help_call
