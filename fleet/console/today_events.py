"""Today's bookings for a page, and the events that renew it."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from fleet.access.roles import Principal
from fleet.console.events import event
from fleet.console.render import markup
from fleet.console.today import Today, TodayRow, differs, today
from fleet.forecast import REASONS
from fleet.parts import FleetParts

NOT_HELD: Final = {word: text for word, text in REASONS.items() if word not in {"cancelled", "student-unwell"}}
"""What may be said of a booking that was not held."""


async def day_of(source: FleetParts, reader: Principal, now: datetime, whose: str | None = None) -> Today:
    """Today's bookings as this reader may know them."""
    at = source.clock.now()
    found = await asyncio.to_thread(source.days.day, reader, at.at, at, whose)
    return today(found, reader, now, whose)


@dataclass(slots=True)
class Shown:
    """What the reader has on the page, so that only what differs is sent."""

    rows: dict[str, TodayRow] = field(default_factory=dict)
    order: tuple[tuple[str, ...], str] | None = None

    def news(self, found: Today, now: datetime) -> list[str]:
        """The events that make the page `found`."""
        events = []
        for row in found.rows:
            known = self.rows.get(row.booking)
            if known is None or differs(known, row):
                html = markup("_today_row.html", row=row, now=now, not_held=NOT_HELD)
                events.append(event("booking", {"id": row.booking, "html": html}))
                self.rows[row.booking] = row
        order = (tuple(row.booking for row in found.rows), markup("_today_summary.html", today=found))
        if order != self.order:
            events.append(event("bookings", {"ids": order[0], "summary": order[1]}))
            self.order = order
        self.rows = {row.booking: self.rows[row.booking] for row in found.rows}
        return events
