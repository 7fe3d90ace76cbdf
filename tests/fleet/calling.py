"""The fleet's HTTP side on a real socket, and someone who calls it."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn
from fastapi import FastAPI

from fleet.access import secrets
from fleet.access.roles import Role
from fleet.access.secrets import Kind, Person
from tests.fleet.world import Fleet


class _Server(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """None: it runs in a thread."""


@contextmanager
def served(app: FastAPI) -> Iterator[httpx.Client]:
    """`app` served by uvicorn, and a client of it that follows no redirects."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = _Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="served")
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert thread.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    try:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with httpx.Client(base_url=url, timeout=20, verify=False) as client:  # plain http: no authorities to load
            yield client
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()


class Caller:
    """One of the fleet's people or programs."""

    def __init__(self, fleet: Fleet, client: httpx.Client) -> None:
        self.fleet, self.client = fleet, client
        self._own: dict[str, str] = {}

    @property
    def origin(self) -> dict[str, str]:
        """What a page of the fleet itself sends with a write."""
        return {"Origin": str(self.client.base_url).rstrip("/")}

    def token(self, role: Role = Role.SERVICE, *campuses: str) -> dict[str, str]:
        """The header of someone new with this role."""
        return {"Authorization": f"Bearer {self._secret(Kind.TOKEN, role, campuses)}"}

    def link(self, role: Role = Role.IT, *campuses: str) -> str:
        """The path of a fresh sign-in link."""
        return f"/sign-in/{self._secret(Kind.LINK, role, campuses)}"

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        """Read, as the service that may see everything unless `headers` say who asks."""
        if headers is None:
            headers = self._own = self._own or self.token()
        return self.client.get(path, headers=headers)

    def _secret(self, kind: Kind, role: Role, campuses: tuple[str, ...]) -> str:
        name = f"{role.value} of {' '.join(campuses) or 'all'}"
        now = self.fleet.clock.now()
        secrets.add_person(self.fleet.database, Person(name, role, frozenset(campuses) or None), now)
        return secrets.issue(self.fleet.database, kind, name, now)
