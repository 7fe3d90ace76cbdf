"""What tests of incidents share: what a kiosk says, what the store then holds, and routes."""

from datetime import timedelta
from typing import Any

from fleet.incidents import Incident
from fleet.notices import Channel, Route, To
from fleet.store import incidents as store
from fleet.store import notices as outbox
from tests.fleet.world import Fleet, Kiosk
from wire.signals import ActiveSignal, Severity, Verdict

ALWAYS = {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "begins": "00:00", "ends": "00:00"}


def signal(name: str = "camera.covered", role: str | None = "overhead", **more: Any) -> ActiveSignal:
    told = {"id": name, "role": role, "severity": Severity.ATTENTION, "since": Kiosk().at, "evidence": {"share": 0.99}}
    return ActiveSignal.model_validate(told | more)


def breaks(fleet: Fleet, kiosk: Kiosk, *signals: ActiveSignal, verdict: Verdict = Verdict.ATTENTION) -> None:
    """The kiosk says so now, and the watch looks."""
    kiosk.at = fleet.clock.at
    fleet.look(kiosk.is_ready(verdict, *(signals or (signal(),))))


def recovers(fleet: Fleet, kiosk: Kiosk) -> None:
    kiosk.at = fleet.clock.at
    fleet.look(kiosk.is_ready())


def held(fleet: Fleet) -> list[Incident]:
    """Every incident in the store, oldest first."""
    with fleet.database.read() as connection:
        return [store.incident_of(row) for row in reversed(store.newest(connection, limit=500))]


def timeline(fleet: Fleet, incident: str) -> list[str]:
    with fleet.database.read() as connection:
        return [row.what for row in store.events_of(connection, incident)]


def told(fleet: Fleet) -> list[Any]:
    """Every notice in the outbox, oldest first."""
    with fleet.database.read() as connection:
        return list(reversed(outbox.newest(connection, limit=500)))


def route(fleet: Fleet, id_: str, channel: Channel = Channel.EMAIL, **more: Any) -> None:
    """Somebody is told from now on."""
    address = {Channel.EMAIL: f"{id_}@school.example", Channel.IN_PAGE: None}.get(channel)
    with fleet.database.write() as connection:
        one = Route(**{"id": id_, "role": To.IT, "channel": channel, "address": address, **more})
        outbox.put_route(connection, one, "test", fleet.clock.at)
    fleet.watch.routes_changed()


def passes(fleet: Fleet, kiosk: Kiosk, time: timedelta, step_s: float = 30.0, *raws: Any) -> None:
    """Time passes in steps, in each of which the kiosk is heard and the watch looks."""
    left_s = time.total_seconds()
    while left_s > 0:
        fleet.clock.pass_(min(step_s, left_s))
        left_s -= step_s
        kiosk.at = fleet.clock.at
        fleet.look(kiosk.is_healthy(), *raws)
