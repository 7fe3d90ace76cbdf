"""The kiosk's state as programs read it at `/api/state`: the shape that the contract promises, and a little more."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from device.kit import kit
from device.release import VERSION
from device.session import windows
from device.session.states import ROLES
from device.snapshot import CameraView, Snapshot
from wire.minutes import Minutes
from wire.stills import sharp_enough

_ENDED = "ended"


def api_state(snapshot: Snapshot, language: str) -> dict[str, Any]:
    """The JSON object of `GET /api/state`. Ages are seconds, `..._ms` are milliseconds, unknown is null."""
    place = snapshot.place
    return {
        "kiosk": place.kiosk,
        "campus": place.campus,
        "room": place.room,
        "language": language,
        "version": VERSION,
        "boot": snapshot.at.boot,
        "at": snapshot.at.wall.isoformat(),
        "clock": snapshot.at.trust.value,
        "time": _time(snapshot),
        "state": snapshot.state.phase.value,
        "session": _session(snapshot),
        "last_session": _last_session(snapshot),
        "readiness": {
            "verdict": snapshot.verdict.value,
            "signals": [one.model_dump(mode="json") for one in snapshot.signals],
        },
        "lamp": snapshot.lamp,
        "camera_lamp": snapshot.camera_lamp,
        "link": {
            "up": snapshot.state.link_up,
            "since": snapshot.link_since.isoformat() if snapshot.link_since else None,
        },
        "cameras": {role: _camera(snapshot.cameras.get(role)) for role in (*ROLES, *_others(snapshot))},
        "cards": list(snapshot.state.cards),
        "schedule": _schedule(snapshot),
        "backlog": {
            "rows": snapshot.backlog_rows,
            "segments": snapshot.recording.segments,
            "bytes": snapshot.backlog_bytes + snapshot.recording.bytes,
        },
        "recording": {
            "keep": snapshot.recording.keep,
            "reason": snapshot.recording.reason,
            "room_bytes": snapshot.recording.room_bytes,
            "upload_trouble": snapshot.recording.upload_trouble,
        },
        "setup": {
            "stage": snapshot.setup.stage,
            "at": snapshot.setup.at.isoformat() if snapshot.setup.at else None,
            "by": snapshot.setup.by,
            "px_per_mm": snapshot.setup.px_per_mm,
        },
        "preflight": {
            "looking": snapshot.preflight.looking,
            "last": last.model_dump(mode="json") if (last := snapshot.preflight.last) else None,
        },
        "unwritten": snapshot.unwritten,
        "unknown": dict(snapshot.unknown),
    }


def _time(snapshot: Snapshot) -> dict[str, Any] | None:
    """By what the kiosk knows the time, and what it makes of its machine's own clock."""
    clock = snapshot.clock
    if clock is None:
        return None
    return {
        "source": clock.source.value,
        "refused": clock.refused.value if clock.refused else None,
        "shows": clock.shows.isoformat() if clock.shows else None,
        "off_s": None if clock.off is None else round(clock.off.total_seconds(), 3),
        "off_true_to_s": None if clock.off is None else round(clock.off_error.total_seconds(), 3),
    }


def _others(snapshot: Snapshot) -> list[str]:
    return [role for role in snapshot.cameras if role not in ROLES]


def _camera(seen: CameraView | None) -> dict[str, Any]:
    if seen is None:
        seen = CameraView("unknown")
    return {
        "state": seen.state,
        "fps": seen.fps,
        "last_frame_age_s": seen.last_frame_age_s,
        "pid": seen.pid,
        "detail": seen.detail,
        "native": None if seen.native is None else asdict(seen.native),
        "seen": None if seen.seen is None else list(seen.seen),
        "mat": _mat(seen.mat),
        "crop": _crop(seen.corners),
        "restarts": seen.restarts,
        "coded": seen.coded,
        "segment": seen.segment,
        "lost": seen.lost,
    }


def _schedule(snapshot: Snapshot) -> dict[str, Any] | None:
    """What the kiosk knows of its bookings, and which comes next; whose they are is not told here."""
    held = snapshot.state.schedule
    if held is None:
        return None
    coming = windows.upcoming(held, snapshot.at, snapshot.state.done)
    return {
        "revision": held.revision,
        "as_of": held.as_of.isoformat(),
        "bookings": len(held.bookings),
        "settled": len(held.settled),
        "next": None
        if coming is None
        else {
            "id": coming.id,
            "start": coming.start.isoformat(),
            "minutes": coming.planned_ms // 60_000,
            "late_min": coming.late_min,
        },
    }


def _mat(found: Mapping[str, float] | None) -> dict[str, Any] | None:
    """What is known of the mat, and whether handwriting can be judged as finely as the page is seen."""
    if found is None:
        return None
    px_per_mm = found.get("px_per_mm")
    return {**found, "sharp_enough": None if px_per_mm is None else sharp_enough(px_per_mm)}


def _crop(corners: list[list[float]] | None) -> dict[str, Any] | None:
    """Where the mat is in the picture, for a live view that shows it alone or straight (the map is a homography)."""
    if corners is None:
        return None
    return {"corners": corners, "width_mm": kit().mat.width_mm, "height_mm": kit().mat.height_mm}


def _session(snapshot: Snapshot) -> dict[str, Any] | None:
    session = snapshot.state.session
    if session is None:
        return None
    record = snapshot.record if snapshot.record_id == session.id else None
    started_at = record.started_at if record else None
    return {
        "id": session.id,
        "started_at": started_at.isoformat() if started_at else None,
        "minutes": (record.minutes if record else Minutes()).model_dump(mode="json"),
    }


def _last_session(snapshot: Snapshot) -> dict[str, Any] | None:
    """The session that ended last in this boot, while no other runs."""
    record = snapshot.record
    if snapshot.state.session or record is None or record.state != _ENDED:
        return None
    return {
        "id": snapshot.record_id,
        "ended_at": record.ended_at.isoformat() if record.ended_at else None,
        "ended_by": record.ended_by,
        "minutes": record.minutes.model_dump(mode="json"),
    }
