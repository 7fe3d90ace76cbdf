"""A kiosk that is up, with the fleet answering and no schedule held."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.device.session.kiosk import Kiosk


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[Kiosk]:
    found = Kiosk(tmp_path).up()
    found.restore_link()
    yield found
    found.close()
