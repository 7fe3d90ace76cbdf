"""Which one of the active signals the page speaks about: only one thing can be done at a time."""

from device.screen.scene import Scene
from device.screen.sentences import Words
from device.screen.signal_words import CALM, OUTSIDE, Means, SignalWords, signal_words
from wire.signals import ActiveSignal, Severity


def worst(scene: Scene) -> ActiveSignal | None:
    """The worst signal that counts: blocked first, then what somebody in the room can do something about."""
    return min(_counting(scene), key=_rank, default=None)


def worst_in_session(scene: Scene) -> ActiveSignal | None:
    """As `worst`, of those that can be helped while a session runs."""
    return min((one for one in _counting(scene) if one.id not in CALM | OUTSIDE), key=_rank, default=None)


def said(scene: Scene, signal: ActiveSignal) -> SignalWords:
    """The page's words for `signal`."""
    return signal_words(scene.w, signal.id, signal.role)


def consequence(scene: Scene, signal: ActiveSignal, means: Means) -> str:
    """What it means for a session that is started anyway."""
    w = scene.w
    match means:
        case Means.UNSEEN | Means.POOR:
            return _unseen(w, _roles(scene, signal), means)
        case Means.CAMERAS_OFF:
            return w.cameras_stay_off
        case Means.TAP:
            return w.tap_to_start
        case Means.ANYWAY:
            return w.start_anyway


def _unseen(w: Words, roles: set[str | None], means: Means) -> str:
    poor = means is Means.POOR
    if roles == {"overhead"}:
        return w.poor_desk if poor else w.unseen_desk
    if roles == {"front"}:
        return w.poor_student if poor else w.unseen_student
    return w.poor_both if poor else w.unseen_both


def _roles(scene: Scene, signal: ActiveSignal) -> set[str | None]:
    """Every camera with the same trouble."""
    return {one.role for one in _counting(scene) if one.id == signal.id}


def _counting(scene: Scene) -> list[ActiveSignal]:
    return [one for one in scene.snapshot.signals if one.severity is not Severity.INFO and not one.outranked]


def _rank(signal: ActiveSignal) -> tuple[object, ...]:
    return signal.severity is not Severity.BLOCKED, signal.id in CALM, signal.since, signal.id, signal.role or ""
