"""What tests of the fleet share."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from fleet.app import create_app
from tests.fleet import databases
from tests.fleet.calling import Caller, served
from tests.fleet.world import Fleet, Kiosk, running_fleet


@pytest.fixture(scope="session", autouse=True)
def _databases() -> Iterator[None]:
    yield
    databases.drop_all()


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with running_fleet(tmp_path) as running:
        yield running


@pytest.fixture
def kiosk() -> Kiosk:
    return Kiosk()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FastAPI, httpx.Client]]:
    """One server for all tests, because starting one takes longer than most of them."""
    with running_fleet(tmp_path_factory.mktemp("server")) as idle:
        app = create_app(idle.parts)
        with served(app) as client:
            yield app, client


@pytest.fixture
def caller(fleet: Fleet, server: tuple[FastAPI, httpx.Client]) -> Caller:
    app, client = server
    app.state.fleet = fleet.parts
    client.cookies.clear()
    return Caller(fleet, client)
