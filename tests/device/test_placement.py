"""How the cameras were set up, on the disk: whole or not at all, and a damaged file costs a set-up, not a kiosk."""

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device import placement
from device.cameras.source import CameraSpec
from device.errors import PlacementUnwritable
from device.placement import CameraReference, Commissioned, Placement

DESK = CameraSpec("overhead", "v4l2:/dev/video0", 1920, 1080, 15.0, bitrate_bps=1_000_000)


def confirmed(by: placement.Person = "it") -> Placement:
    reference = CameraReference(uri=DESK.uri, width=1920, height=1080, px_per_mm=3.0, reference={"sharpness": 0.5})
    return Placement(
        commissioned=Commissioned(at=datetime(2026, 3, 2, tzinfo=UTC), by=by, cameras={"overhead": reference})
    )


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    assert placement.load(tmp_path) == Placement()
    placement.save(tmp_path, confirmed())
    assert placement.load(tmp_path) == confirmed()
    placement.save(tmp_path, Placement(exchanged=True))
    assert placement.load(tmp_path) == Placement(exchanged=True)
    assert [one.name for one in tmp_path.iterdir()] == [placement.FILE]


def test_a_reference_belongs_to_one_device_at_one_size() -> None:
    kept = confirmed()
    assert kept.reference(DESK) == {"sharpness": 0.5}
    other_device = CameraSpec("overhead", "v4l2:/dev/video2", 1920, 1080, 15.0, bitrate_bps=1_000_000)
    other_size = CameraSpec("overhead", DESK.uri, 1280, 720, 15.0, bitrate_bps=1_000_000)
    for other in (other_device, other_size):
        assert kept.reference(other) is None
        assert not kept.stands(other)
    assert kept.stands(DESK)


def test_a_damaged_file_is_set_aside_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / placement.FILE).write_bytes(b"{half")
    with caplog.at_level(logging.ERROR):
        assert placement.load(tmp_path) == Placement()
    assert "have to be set up anew" in caplog.text
    (kept,) = tmp_path.iterdir()
    assert kept.read_bytes() == b"{half"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.binary(max_size=60) | st.from_type(dict).map(lambda one: json.dumps(str(one)).encode()))
def test_no_file_keeps_a_kiosk_from_starting(tmp_path: Path, content: bytes) -> None:
    (tmp_path / placement.FILE).write_bytes(content)
    assert placement.load(tmp_path).commissioned is None


def test_a_disk_that_refuses_keeps_what_was_there(tmp_path: Path) -> None:
    placement.save(tmp_path, confirmed())
    (tmp_path / f".{placement.FILE}.new").mkdir()
    with pytest.raises(PlacementUnwritable, match="look at the disk"):
        placement.save(tmp_path, Placement(exchanged=True))
    assert placement.load(tmp_path) == confirmed()
