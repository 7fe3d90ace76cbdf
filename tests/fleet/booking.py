"""What tests of the schedule share: kiosks that the fleet knows, and someone who books at them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from fleet.access.roles import Role
from fleet.sending import Schedules
from tests.fleet.calling import Caller
from tests.fleet.world import BEGAN, Fleet, Kiosk
from wire.topics import Channel

NOW = BEGAN
"""9:00 UTC of a Monday."""


@dataclass
class Secretary:
    """Books by HTTP, and looks at what kiosks were told."""

    fleet: Fleet
    caller: Caller
    kiosks: list[Kiosk] = field(default_factory=list)
    role: Role = Role.SERVICE
    campuses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.kiosks = self.kiosks or [
            Kiosk(), Kiosk(id="lincoln-4", epoch="b7e23ec2-9af4-4a0e-8f0b-1f1c6f0c9d55"),
            Kiosk(id="roosevelt-1", campus="roosevelt", epoch="c7e23ec2-9af4-4a0e-8f0b-1f1c6f0c9d55"),
        ]  # fmt: skip
        self.fleet.take(*(one.is_born() for one in self.kiosks))
        self.schedules = Schedules(self.fleet.database, self.fleet.post, self.fleet.clock)
        self.headers = self.caller.token(self.role, *self.campuses)

    def ask(self, method: str, path: str, told: Any = None, **more: Any) -> httpx.Response:
        return self.caller.client.request(
            method, f"/api/v1/{path}", json=told, headers={**self.headers, **more.pop("headers", {})}, **more
        )

    def ok(self, method: str, path: str, told: Any = None, status: int | None = None) -> Any:
        answer = self.ask(method, path, told)
        assert answer.is_success, answer.text
        assert status in {None, answer.status_code}
        return answer.json() if answer.content else None

    def books(self, **told: Any) -> Any:
        return self.ok("POST", "bookings", booking(**told))

    def told(self, kiosk: int = 0) -> dict[str, Any] | None:
        """The newest schedule that a kiosk was sent."""
        while self.schedules.step():
            pass
        sent = self.fleet.post.to(self.kiosks[kiosk], Channel.SCHEDULE)
        return sent[-1] if sent else None


def booking(**told: Any) -> dict[str, Any]:
    """A booking at the first kiosk in an hour."""
    made = {"kiosk": "lincoln-12", "therapist": "th-lane", "student": "s-0418", "start": at(1), "minutes": 30}
    return {name: value for name, value in {**made, **told}.items() if value is not None}


def at(hours: float) -> str:
    """So many hours after now."""
    return (NOW + timedelta(hours=hours)).isoformat()


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
