"""/api/state keeps the shape that the contract promises."""

import json
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from device.release import VERSION
from device.screen.api_state import api_state
from tests.device.screen.gallery import GALLERY

GOLDEN = Path(__file__).parent / "golden"


def told(name: str, language: str = "en") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(api_state(GALLERY[name](), language), allow_nan=False))
    return found


@pytest.mark.parametrize("name", ["offline", "offline-recorded", "ended", "not-ready-covered"])
def test_golden_state(name: str) -> None:
    golden = json.loads((GOLDEN / f"api-state-{name}.json").read_text(encoding="utf-8"))
    found = told(name)
    for session in (found["session"], found["last_session"]):
        if session:
            assert uuid.UUID(session["id"])
            session["id"] = "-"
    assert found == golden | {"version": VERSION}


@pytest.mark.parametrize("name", GALLERY)
def test_the_contracts_fields_are_always_there(name: str) -> None:
    state = told(name)
    assert state["state"] in {"booting", "idle", "starting", "live", "buffering", "paused", "ending", "fault"}
    assert set(state["readiness"]) == {"verdict", "signals"}
    for signal in state["readiness"]["signals"]:
        assert {"id", "role", "severity", "since", "evidence"} <= set(signal)
    assert set(state["link"]) == {"up", "since"}
    assert set(state["backlog"]) == {"rows", "segments", "bytes"}
    assert set(state["recording"]) == {"keep", "reason", "room_bytes", "upload_trouble"}
    assert isinstance(state["lamp"], str)
    for role in ("overhead", "front"):
        assert {"state", "fps", "last_frame_age_s", "native", "seen", "segment", "lost"} <= set(state["cameras"][role])
    session = state["session"]
    if session is not None:
        assert set(session) == {"id", "started_at", "minutes"}
        minutes = session["minutes"]
        assert {"elapsed_ms", "running_ms", "paused_ms", "interrupted_ms", "buffered_ms", "camera_ms"} <= set(minutes)
        assert {"connected_ms", "overrun_ms", "planned_ms", "provided_ms"} <= set(minutes)
        assert minutes["connected_ms"] is None, "nothing here can know it"


def test_a_session_is_there_while_it_runs_and_then_it_is_the_last_one() -> None:
    assert told("live")["session"] is not None
    assert told("live")["last_session"] is None
    assert told("power-countdown")["session"] is not None
    assert told("ended")["session"] is None
    assert told("ended")["last_session"]["minutes"]["elapsed_ms"] > 0
    assert told("ready")["last_session"] is None


def test_a_camera_nobody_spoke_of_is_unknown() -> None:
    assert told("booting", "es")["language"] == "es"
    from_nothing = api_state(GALLERY["booting"](), "en")["cameras"]
    assert set(from_nothing) == {"overhead", "front"}


def test_where_the_mat_is_goes_out_as_a_crop_with_its_size() -> None:
    snapshot = GALLERY["live"]()
    corners = [[0.2, 0.1], [0.8, 0.1], [0.8, 0.9], [0.2, 0.9]]
    desk = replace(snapshot.cameras["overhead"], corners=corners)
    state = api_state(replace(snapshot, cameras={**snapshot.cameras, "overhead": desk}), "en")
    assert state["cameras"]["overhead"]["crop"] == {"corners": corners, "width_mm": 400.0, "height_mm": 260.0}
    assert state["cameras"]["front"]["crop"] is None
