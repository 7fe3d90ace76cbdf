"""What tests of the fleet share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.app import create_app
from tests.fleet.calling import Caller, served
from tests.fleet.world import Fleet, Kiosk, running_fleet


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with running_fleet(tmp_path) as running:
        yield running


@pytest.fixture
def kiosk() -> Kiosk:
    return Kiosk()


@pytest.fixture
def caller(fleet: Fleet) -> Iterator[Caller]:
    with served(create_app(fleet.parts)) as client:
        yield Caller(fleet, client)
