"""The demo's mail server and webhook receiver, and who is told in it: nothing of it leaves this machine."""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from fleet.notices import Channel, Route, To
from fleet.settings import load
from fleet.store import notices as outbox
from fleet.store.engine import Database
from lab.sinks import MailSink, WebhookSink

_MOST: Final = 200


@dataclass
class Postbox:
    """What arrived."""

    mails: MailSink = field(default_factory=MailSink)
    hooks: WebhookSink = field(default_factory=WebhookSink)

    @property
    def settings(self) -> str:
        """The lines of `fleet.toml` by which the demo's fleet tells people, at any hour of any day."""
        days = json.dumps(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])
        return (
            f"\n[school_hours]\ndays = {days}\nbegins = 00:00:00\nends = 00:00:00\n"
            f'\n[smtp]\nhost = "127.0.0.1"\nport = {self.mails.port}\nsecurity = "none"\n'
            'sender = "Carrel <carrel@lab.example>"\n'
            "\n[webhook]\nallow_private = true\n"
        )

    def arrived(self) -> dict[str, list[dict[str, Any]]]:
        """The newest mails and webhooks, oldest first."""
        return {
            "mails": [
                {"to": one.recipients, "subject": str(one.message["Subject"]), "text": one.text}
                for one in self.mails.mails[-_MOST:]
            ],
            "webhooks": [{"id": one.headers.get("webhook-id"), **one.told} for one in self.hooks.calls[-_MOST:]],
        }


@contextlib.asynccontextmanager
async def postbox() -> AsyncIterator[Postbox]:
    """Both at work."""
    box = Postbox()
    servers = [await box.mails.serve(), await box.hooks.serve()]
    try:
        yield box
    finally:
        for server in servers:
            server.close()


def tell_people(config: Path, box: Postbox, now: datetime) -> None:
    """At `config`: the point person of Room 12 by mail first, IT three minutes later, and a program at once."""
    routes = (
        Route(
            "demo-point-person",
            To.POINT_PERSON,
            Channel.EMAIL,
            campus="lincoln",
            kiosk="lincoln-12",
            address="lee@lab.example",
        ),
        Route("demo-it", To.IT, Channel.EMAIL, address="it@lab.example", step=1),
        Route("demo-hook", To.IT, Channel.WEBHOOK, address=box.hooks.url),
    )
    database = Database(load(config).database_url)
    try:
        with database.write() as connection:
            for one in routes:
                outbox.put_route(connection, one, "demo", now)
    finally:
        database.close()
