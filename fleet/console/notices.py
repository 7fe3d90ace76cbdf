"""What every page says in its corner: how many incidents wait for somebody, and the newest of them in a sentence."""

from dataclasses import dataclass, field
from typing import Any

from fleet.access.roles import Principal
from fleet.console.events import event
from fleet.in_page import told
from fleet.parts import FleetParts


@dataclass(slots=True)
class Shown:
    """What the reader of one page was told, so that only what differs is sent."""

    known: dict[str, Any] = field(default_factory=lambda: {"count": 0, "newest": None})

    def news(self, fleet: FleetParts, reader: Principal) -> list[str]:
        """One event if something else is to be said now."""
        found = told(fleet, reader)
        newest = found.newest
        said: dict[str, Any] = {"count": found.count, "newest": None}
        if newest is not None:
            entry = fleet.roll.get(newest.kiosk)
            room = entry.readiness.room if entry is not None and entry.readiness is not None else None
            said["newest"] = {
                "id": f"{newest.id}:{newest.opening}",
                "address": f"/incidents/{newest.id}",
                "text": f"{room or newest.kiosk}: {newest.therapist}",
            }
        if said == self.known:
            return []
        self.known = said
        return [event("notices", said)]
