"""Puts a screen's own words together with the parts that every screen has."""

from typing import Any, Final

from device.screen.actions import actions, languages, question, why_asked
from device.screen.footer import footer, help_line
from device.screen.model import Action, Kind, Labels, Screen, Shape, Tap, Tone, View
from device.screen.press import Does
from device.screen.scene import Scene
from device.screen.sentences import Words
from device.session.states import Phase

LOOKS: Final = {
    Screen.BOOTING: (Tone.UNKNOWN, Shape.WAIT),
    Screen.READY: (Tone.READY, Shape.OK),
    Screen.NOT_READY: (Tone.ATTENTION, Shape.WARN),
    Screen.ASKING: (Tone.ATTENTION, Shape.QUESTION),
    Screen.STARTING: (Tone.LIVE, Shape.WAIT),
    Screen.WAITING: (Tone.LIVE, Shape.REC),
    Screen.LIVE: (Tone.LIVE, Shape.REC),
    Screen.OFFLINE: (Tone.LIVE, Shape.BOX),
    Screen.PAUSED: (Tone.UNKNOWN, Shape.PAUSE),
    Screen.ENDING: (Tone.LIVE, Shape.REC),
    Screen.ENDED: (Tone.READY, Shape.OK),
    Screen.REFUSED: (Tone.BLOCKED, Shape.STOP),
    Screen.FAULT: (Tone.BLOCKED, Shape.STOP),
    Screen.COUNTDOWN_POWER: (Tone.LIVE, Shape.WAIT),
    Screen.IDENTIFY: (Tone.LIVE, Shape.HERE),
}
"""The colour and the shape of each screen; a blocked verdict paints `not_ready` otherwise."""


def draw(scene: Scene, screen: Screen, headline: str, **parts: Any) -> View:
    """The view of `screen` with its `headline` and whatever else is its own."""
    tone, shape = LOOKS[screen]
    why = why_asked(scene, screen)
    asks = question(scene, why) if why else ""
    return View(
        **{
            "language": scene.language,
            "direction": scene.w.direction,
            "screen": screen,
            "tone": tone,
            "shape": shape,
            "headline": headline,
            "footer": footer(scene, screen),
            "help": help_line(scene),
            "actions": actions(scene, screen),
            "languages": languages(scene),
            "ask": asks,
            "offer": Action(kind=Kind.OPEN, name="reason", label=asks) if asks else None,
            "tap": _tap(scene, screen),
            "labels": _labels(scene.w),
            **parts,
        }
    )


def _tap(scene: Scene, screen: Screen) -> Tap:
    if screen is Screen.IDENTIFY:
        return Tap.NOTHING
    if scene.state.phase in {Phase.LIVE, Phase.BUFFERING}:
        return Tap.REVEAL
    return Tap.NOTHING if scene.press[0] is Does.NOTHING else Tap.PRESS


def _labels(w: Words) -> Labels:
    return Labels(**{name: getattr(w, name) for name in Labels.model_fields})
