"""The table of signals (see `wire/signals.py`), times in seconds."""

from typing import Final

from wire.signals import Severity, Signal

_B, _A, _I = Severity.BLOCKED, Severity.ATTENTION, Severity.INFO


def _signal(  # noqa: PLR0913  # one row of a table, in the table's own order
    name: str,
    severity: Severity,
    times: tuple[float, float, float],
    true_when: str,
    aide: str,
    therapist: str,
    it: str,
    *,
    per_role: bool = False,
    remedy: str | None = None,
) -> Signal:
    within_s, hold_s, clear_s = times
    return Signal(
        id=name,
        severity=severity,
        per_role=per_role,
        within_s=within_s,
        hold_s=hold_s,
        clear_s=clear_s,
        true_when=true_when,
        aide=aide,
        therapist=therapist,
        it=it,
        remedy=remedy,
    )


# fmt: off
_ROWS: Final = (
    # id, severity, (seen within, hold, clear), true when, aide, therapist, IT
    # Picture checks settle a finding over several looks themselves (device/vision/), so they are held for little more.
    _signal("camera.missing", _A, (2, 1, 1), "no device or no frames; blocked when it is so for both cameras",
            "Unplug the kiosk, wait ten seconds, plug it in.", "The {camera} gives no picture.",
            "No device or no frames; check cable and power of the camera.", per_role=True,
            remedy="reopen, then a new worker process"),
    _signal("camera.frozen", _A, (5, 0, 1), "frames arrive, the picture does not change, not even noise",
            "Wave a hand in front of the {camera}.", "The {camera} shows a still picture.",
            "Identical frames; the sensor or its driver hangs.", per_role=True, remedy="reopen"),
    _signal("camera.covered", _A, (3, 0.5, 1), "dark or uniform over nearly all tiles",
            "Lift off what covers the {camera}.", "The {camera} is covered.",
            "Luminance and contrast under the commissioned reference in nearly all tiles.", per_role=True),
    _signal("camera.shuttered", _A, (1, 0, 0), "the shutter's contact says closed",
            "Open the shutter of the {camera}.", "The shutter of the {camera} is closed.",
            "The shutter contact is closed.", per_role=True),
    _signal("camera.dark", _A, (3, 0.5, 2), "luminance of the working area too low",
            "Switch on the light.", "The {camera} sees too little light.",
            "Mean luminance under the limit.", per_role=True),
    _signal("camera.overexposed", _A, (3, 0.5, 2), "luminance of the working area clipped",
            "Close the blind or turn the lamp away.", "The {camera} sees too much light.",
            "Clipped share over the limit.", per_role=True),
    _signal("camera.blurred", _A, (5, 1, 2), "sharpness under this kiosk's own reference",
            "Wipe the {camera} with a soft cloth.", "The picture of the {camera} is not sharp.",
            "Sharpness under the commissioned reference; focus moved or lens smeared.", per_role=True),
    _signal("camera.glare", _A, (3, 0.5, 2), "a clipped area on the desk large enough to hide writing",
            "Turn the lamp or tilt the page until the bright spot is gone.", "A bright spot hides part of the page.",
            "Connected clipped area on the desk over the limit.", per_role=True),
    _signal("camera.moved", _A, (10, 2, 3), "the mat or the scene is displaced from the commissioned pose",
            "Turn the desk camera back over the mat.", "The desk camera was moved.",
            "Pose differs from commissioning; turn back or commission anew.", per_role=True),
    _signal("camera.swapped", _A, (10, 5, 5), "the front camera sees the mat",
            "Call for help: the cameras are exchanged.", "Desk and front picture are exchanged.",
            "Roles exchanged; swap them in the settings."),
    _signal("camera.slow", _A, (10, 8, 5), "under 90 % of the configured frame rate",
            "Nothing to do; the picture may stutter.", "The picture of the {camera} may stutter.",
            "Frame rate under 90 % of the configured one.", per_role=True),
    _signal("camera.small", _A, (10, 5, 5), "the picture is smaller than asked for; it is used as it is",
            "Nothing to do; small writing may be hard to read.", "The picture of the {camera} is too small.",
            "The camera gives less than it was asked for; the figures are in the evidence.", per_role=True),
    _signal("mat.not_in_frame", _A, (5, 3, 3), "too few mat corners to place the page",
            "Lay the mat under the desk camera.", "The desk mat is not in the picture.",
            "Fewer mat corners than a homography needs.", per_role=True),
    _signal("audio.missing", _A, (10, 5, 2), "no microphone or speaker",
            "Plug in the loudspeaker.", "The kiosk has no microphone or no loudspeaker.",
            "A fitted sound device is not listed under its USB id; the evidence says which."),
    # Two silent seconds in a row are one finding, and one that is heard ends it (device/audio/watch.py).
    _signal("audio.silent", _A, (10, 0, 0), "the level is never above the floor",
            "Check that the microphone is not muted.", "The microphone stays silent.", "Input level under the floor."),
    _signal("link.down", _I, (15, 0, 0), "the fleet does not answer",
            "No network: the therapist cannot see you yet.", "The kiosk has no connection.",
            "No answered echo; broker, network or fleet is down. The evidence has what a network check found.",
            remedy="a network check"),
    _signal("link.poor", _A, (60, 30, 30), "round trip, loss or upload under what two cameras need",
            "Nothing to do; the picture may stutter.", "The connection is weak.",
            "Round trip over 400 ms, over a tenth unanswered, or less upload than both cameras send."),
    # A network check is a settled finding; it is made 30 s after the link went down, and takes up to 10 s.
    _signal("link.filtered", _A, (60, 0, 0), "captive portal, TLS inspection, closed ports, DNS or NTP blocked",
            "Call for help: the school's network blocks the kiosk.", "The school's network blocks the kiosk.",
            "Named in the evidence; see the page for the firewall team."),
    _signal("clock.unset", _A, (60, 5, 0), "the clock was not set since power-on, or is not believed",
            "Nothing to do; the clock sets itself when the network is back.", "The kiosk does not know the time.",
            "No time source that can be believed since boot; check NTP.",
            remedy="ask the time service anew"),
    _signal("clock.drift", _A, (60, 30, 10), "the machine's clock is off by more than 2 s, or not believed",
            "Nothing to do.", "The kiosk's clock is off.",
            "Over 2 s from the fleet's time, or a jump that nothing else vouches for; see the evidence.",
            remedy="ask the time service anew"),
    _signal("storage.low", _A, (60, 5, 30), "under 2 h of session left at today's rate",
            "Nothing to do here.", "Storage runs low.", "Free space under two hours of session."),
    _signal("storage.critical", _A, (60, 5, 30), "under 10 min of session left at today's rate",
            "You can start; nothing is recorded.", "Storage is nearly full; nothing is recorded.",
            "Free space under ten minutes of session."),
    _signal("storage.worn", _A, (60, 5, 60), "the card's wear estimate is over its limit",
            "Nothing to do here.", "The storage card is worn.", "Replace the card in the summer at the latest."),
    _signal("storage.readonly", _B, (60, 0, 5), "a write was refused",
            "Call for help: the kiosk cannot keep its record.", "The kiosk cannot keep a record of a session.",
            "The file system refuses writes; replace the card."),
    _signal("power.undervoltage", _A, (10, 2, 10), "the supply is under voltage now",
            "Use the kiosk's own power plug.", "The power supply is weak.", "Under-voltage now; replace the supply."),
    _signal("power.throttled", _A, (10, 2, 10), "the processor is throttled now",
            "Nothing to do here.", "The kiosk runs slowly.", "Throttled now; heat or supply."),
    _signal("heat.high", _A, (30, 10, 30), "the SoC is within 5 K of its limit",
            "Make room around the kiosk so that air can pass.", "The kiosk is hot.", "SoC temperature near its limit."),
    _signal("button.stuck", _A, (10, 0, 0), "held 10 s with nobody's hold gesture due, or edges without end",
            "Free the button: something presses it.", "The button is stuck; the screen starts a session.",
            "The button's contact stays closed or chatters."),
    _signal("lamp.mismatch", _B, (1, 0.5, 0), "the camera lamp does not agree with the cameras' real state",
            "Call for help: the camera lamp is wrong.", "The camera lamp is wrong; the cameras are off.",
            "Lamp read back differs from the cameras' state; capture stopped."),
    _signal("certificate.expiring", _A, (86_400, 0, 0), "30 days or fewer left",
            "Nothing to do here.", "The kiosk's certificate ends soon.", "Renewal fails; see the log."),
    _signal("certificate.expired", _A, (86_400, 0, 0), "no day left",
            "Call for help: the kiosk may not connect.", "The kiosk may not connect.", "Renew the certificate."),
    _signal("software.behind", _I, (3_600, 0, 0), "desired and running version differ past the campus window",
            "Nothing to do.", "An update waits.", "The update did not happen in its window."),
    _signal("backlog.old", _A, (60, 0, 0), "the oldest unacknowledged ledger row is over 24 h old",
            "Nothing to do; everything is kept here.", "The kiosk's records have not arrived for a day.",
            "Rows unacknowledged for over 24 h; check the link and the fleet.", remedy="connect anew, outside school"),
    _signal("session.overdue", _A, (1, 0, 0), "a booking's start passed 3 min ago without a press",
            "Press the button to start.", "The session has not been started.", "No press 3 min after the start."),
    _signal("therapist.absent", _A, (1, 0, 0), "pressed 3 min ago and no therapist",
            "Keep the activity going; the therapist is not there yet.", "The room waits for you.",
            "Pressed 3 min ago and no therapist."),
    # The hour that is looked back upon is hold enough.
    _signal("agent.restarting", _A, (1, 0, 0), "three or more restarts within an hour",
            "Nothing to do here.", "The kiosk restarts again and again.", "See the agent's log."),
    _signal("schedule.stale", _I, (3_600, 0, 0), "no schedule revision for 24 h",
            "Nothing to do.", "The kiosk's schedule is over a day old.", "No schedule received for 24 h.",
            remedy="connect anew"),
)
# fmt: on

SIGNALS: Final = {row.id: row for row in _ROWS}
"""Every signal by its id."""

_CAMERAS: Final = {"overhead": "desk camera", "front": "front camera"}


def words(signal_id: str, role: str | None, reader: str) -> str:
    """What `signal_id` means to `reader` (`aide`, `therapist` or `it`), with the camera named.

    A signal that this version does not know is called by its id: old fleets outlive no new kiosk.
    """
    row = SIGNALS.get(signal_id)
    if row is None:
        return signal_id
    text: str = getattr(row, reader)
    return text.replace("{camera}", _CAMERAS.get(role or "", "camera"))
