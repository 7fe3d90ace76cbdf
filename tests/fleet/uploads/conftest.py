"""A recording that a kiosk has a ticket for."""

import httpx
import pytest

from tests.fleet.calling import Caller
from tests.fleet.sending import Sending, announced
from tests.fleet.world import Fleet, Kiosk


@pytest.fixture
def client(caller: Caller) -> httpx.Client:
    return caller.client


@pytest.fixture
def sending(fleet: Fleet, client: httpx.Client, kiosk: Kiosk) -> Sending:
    return announced(fleet, client, kiosk)
