"""A kiosk that is up, with the fleet answering and no schedule held; and an empty ledger by itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from device.session.ledger import Ledger
from tests.device.session.kiosk import Kiosk


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[Kiosk]:
    found = Kiosk(tmp_path).up()
    found.restore_link()
    yield found
    found.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the ledger is, or will be."""
    return tmp_path / "data" / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    found = Ledger.open(path)
    yield found
    found.close()
