"""The machine's vitals in words. Pure. Null, absent or of an unknown type reads `unknown`, never 0 and never "ok"."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fleet.console.worksheet import scale_words
from fleet.times import duration


@dataclass(frozen=True, slots=True)
class Vital:
    """One row of the table."""

    word: str
    value: str
    known: bool = True


def vitals(health: Mapping[str, Any] | None) -> tuple[Vital, ...]:
    """The rows for `health`, the last vitals a kiosk sent; all unknown when it sent none."""
    told = health or {}
    rows = [_vital(word, told.get(name), show) for name, word, show in _ROWS]
    rows.append(_set_up(told))
    cameras = told.get("cameras")
    if isinstance(cameras, Mapping):
        for role in sorted(cameras):
            word = _CAMERAS.get(role, str(role))
            facts = cameras[role] if isinstance(cameras[role], Mapping) else {}
            rows.append(_vital(f"{word}, state", facts.get("state"), str))
            rows.append(_vital(f"{word}, frame rate", facts.get("fps"), lambda fps: f"{fps:.1f} per second"))
            rows.append(_vital(f"{word}, gives", facts.get("native"), _native))
            if role == "overhead" and "px_per_mm" in facts:
                rows.append(_vital("Worksheet", facts["px_per_mm"], scale_words))
            if facts.get("last_step"):
                rows.append(_vital(f"{word}, last repair", facts["last_step"], str))
    return tuple(rows)


def _set_up(told: Mapping[str, Any]) -> Vital:
    """Whether somebody confirmed how the cameras look; an older kiosk does not say."""
    word, by = "Cameras set up", told.get("cameras_set_up_by")
    if "cameras_set_up_at" in told and told["cameras_set_up_at"] is None:
        return Vital(word, "not yet; “Set up the cameras” on its screen does it")
    return _vital(
        word, told.get("cameras_set_up_at"), lambda at: f"{datetime.fromisoformat(at):%Y-%m-%d}, by {_BY[str(by)]}"
    )


def _vital(word: str, value: Any, show: Callable[[Any], str]) -> Vital:
    if value is None:
        return Vital(word, "unknown", known=False)
    try:
        return Vital(word, show(value))
    except (TypeError, ValueError, OverflowError, KeyError):  # of another type in a newer kiosk: not known here
        return Vital(word, "unknown", known=False)


def _yes_no(value: Any) -> str:
    if not isinstance(value, bool):
        raise TypeError
    return "yes" if value else "no"


def _bytes(value: Any) -> str:
    size = float(value)
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1_000:
            return f"{size:.0f} {unit}" if unit in {"B", "KB"} else f"{size:.1f} {unit}"
        size /= 1_000
    return f"{size:.1f} TB"


def _native(value: Any) -> str:
    return f"{int(value['width'])}x{int(value['height'])} {value.get('form', '')}".strip()


_CLOCKS: Final = {
    "unset": "not set, or not believed",
    "held": "set earlier; no time source vouches for it now",
    "synced": "right, by a time source",
}
_SOURCES: Final = {
    "ntp": "NTP",
    "fleet": "the fleet's own time, for want of NTP that can be believed",
    "carried": "the time since a source was last believed",
    "machine": "the machine's clock as it is",
}


def _clock(trust: Any) -> str:
    return _CLOCKS.get(str(trust), str(trust))


def _time_by(source: Any) -> str:
    return _SOURCES.get(str(source), str(source))


def _beside(off_s: Any) -> str:
    """`0.2 s ahead`, `18.0 h behind`, `20782 days behind`."""
    length, way = abs(float(off_s)), "ahead" if off_s > 0 else "behind"
    if length < 120:
        return f"{length:.1f} s {way}"
    return f"{length / 3_600:.1f} h {way}" if length < 172_800 else f"{length / 86_400:.0f} days {way}"


_BY: Final = {"it": "IT", "aide": "the aide", "therapist": "the therapist"}
_CAMERAS: Final = {"overhead": "Desk camera", "front": "Front camera"}
_ROWS: Final[tuple[tuple[str, str, Callable[[Any], str]], ...]] = (
    ("model", "Machine", str),
    ("uptime_s", "Running for", lambda s: duration(s * 1_000)),
    ("temperature_c", "Temperature", lambda c: f"{c:.0f} °C"),
    ("undervoltage_now", "Under-voltage now", _yes_no),
    ("undervoltage_since_boot", "Under-voltage since boot", _yes_no),
    ("throttled_now", "Throttled now", _yes_no),
    ("throttled_since_boot", "Throttled since boot", _yes_no),
    ("cpu_load_1m", "Load, 1 minute", lambda load: f"{load:.2f}"),
    ("memory_used_share", "Memory in use", lambda share: f"{share:.0%}"),
    ("storage_free_bytes", "Storage free", _bytes),
    ("storage_total_bytes", "Storage in all", _bytes),
    ("agent_rss_bytes", "Memory of the agent", _bytes),
    ("clock", "Clock", _clock),
    ("clock_source", "Time by", _time_by),
    ("clock_off_s", "Machine's clock beside the fleet's", _beside),
    ("link_round_trip_ms", "Round trip to the fleet", lambda ms: f"{ms:.0f} ms"),
    ("backlog_rows", "Rows still to send", lambda rows: f"{rows:d}"),
    ("segments", "Sealed segments kept", lambda count: f"{count:d}"),
    ("segment_bytes", "Room they take", _bytes),
    ("recording_room_bytes", "Room left for recording", _bytes),
    ("storage_written_today_bytes", "Written today", _bytes),
    ("storage_written_bytes", "Written since it counts", _bytes),
    ("storage_years_left", "Card lasts, at this rate", lambda years: f"about {years:.1f} years"),
)
