"""A shelf, and the disk under it."""

from pathlib import Path

import pytest

from device.segments import Shelf
from tests.device.segments.kit import Disk


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "segments")
