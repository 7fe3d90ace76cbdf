"""The two small pictures: what each shows, or why it shows nothing."""

from typing import Final

from device.screen.model import Tile
from device.screen.scene import Scene
from device.screen.signal_words import camera
from device.session.states import ROLES
from device.snapshot import CameraView
from wire.signals import ActiveSignal, Severity

_FRESH_S: Final = 3.0
"""A picture older than this is not shown as if it were now."""
_WORTH_AN_AGE_S: Final = 60.0
_NO_PICTURE: Final = frozenset({"camera.missing", "camera.covered", "camera.shuttered"})


def tiles(scene: Scene) -> tuple[Tile, ...]:
    """Desk, then student."""
    return tuple(_tile(scene, role) for role in ROLES)


def _tile(scene: Scene, role: str) -> Tile:
    w, seen = scene.w, scene.snapshot.cameras.get(role)
    label = w.desk if role == "overhead" else w.student
    trouble = _trouble(scene, role)
    note = _covered(scene, label, trouble) or _absent(scene, role, seen)
    return Tile(
        role=role,
        label=label,
        show=not note,
        note=note,
        bad=trouble is not None,
        lost=w.no_picture.format(Camera=_name(scene, role)),
    )


def _trouble(scene: Scene, role: str) -> ActiveSignal | None:
    mine = [one for one in scene.snapshot.signals if one.role == role and one.severity is not Severity.INFO]
    return min(
        (one for one in mine if not one.outranked), key=lambda one: (one.id not in _NO_PICTURE, one.since), default=None
    )


def _covered(scene: Scene, label: str, trouble: ActiveSignal | None) -> str:
    w = scene.w
    match trouble.id if trouble else "":
        case "camera.covered" if trouble and scene.clock_set:
            return w.covered_since.format(Place=label, time=scene.time_of_day(trouble.since))
        case "camera.covered":
            return w.covered.format(Place=label)
        case "camera.shuttered":
            return w.shuttered.format(Place=label)
        case _:
            return ""


def _absent(scene: Scene, role: str, seen: CameraView | None) -> str:
    """Why there is no picture; empty when there is one."""
    w, name = scene.w, _name(scene, role)
    age_s = seen.last_frame_age_s if seen else None
    match seen.state if seen else "unknown":
        case "unknown":
            text = w.camera_unknown
        case "open":
            text = "" if age_s is not None and age_s <= _FRESH_S else w.no_picture
        case "closed":
            text = w.camera_off if age_s is None or age_s < _WORTH_AN_AGE_S else w.camera_off_since
        case "opening":
            text = w.camera_opening
        case _:
            text = w.camera_missing
    return text.format(Camera=name, camera=camera(w, role), age=scene.age(age_s or 0))


def _name(scene: Scene, role: str) -> str:
    text = camera(scene.w, role)
    return text[:1].upper() + text[1:]
