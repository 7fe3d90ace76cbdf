"""A camera that makes H.264 itself, and it as a source."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from device.cameras.sources.v4l2_h264 import V4l2H264Source

if TYPE_CHECKING:
    pass
from tests.device.cameras.v4l2.kit import CodedCamera


@pytest.fixture
def camera(tmp_path: Path) -> CodedCamera:
    return CodedCamera(tmp_path / "video0", fps=50)


@pytest.fixture
def source(camera: CodedCamera) -> Iterator[V4l2H264Source]:
    source = camera.open()
    yield source
    source.close()
