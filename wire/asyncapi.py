"""The contract as an AsyncAPI 3 document, generated from the models.

`python -m wire.asyncapi > docs/asyncapi.json` writes it; a test holds the committed document to what is generated.
"""

import json
import sys
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from wire import messages, schedule, uploads
from wire.codec import MAX_PAYLOAD_BYTES
from wire.ids import ID_PATTERN
from wire.ledger import EVENTS, Row
from wire.stills import StillReply
from wire.topics import FROM_FLEET, FROM_KIOSK, ROOT, Channel


@dataclass(frozen=True, slots=True)
class _Entry:
    model: type[BaseModel]
    qos: int
    retained: bool
    summary: str


CHANNELS: Final[dict[Channel, _Entry]] = {
    Channel.PRESENCE: _Entry(messages.Presence, 1, retained=True, summary="Birth, planned death, and the will."),
    Channel.HEALTH: _Entry(
        messages.Health, 0, retained=False, summary="Vitals, every 15 s and on changes that matter."
    ),
    Channel.READINESS: _Entry(messages.Readiness, 1, retained=True, summary="The verdict and the active signals."),
    Channel.LEDGER: _Entry(messages.LedgerBatch, 1, retained=False, summary="Session facts, row after row."),
    Channel.LEDGER_ACK: _Entry(messages.LedgerAck, 1, retained=False, summary="Committed through, replay or fork."),
    Channel.SCHEDULE: _Entry(
        schedule.Schedule, 1, retained=True, summary="Bookings, 14 days ahead, sent again hourly."
    ),
    Channel.CONFIG: _Entry(messages.Config, 1, retained=True, summary="Desired settings."),
    Channel.COMMAND: _Entry(
        messages.Command, 1, retained=False, summary="A request, run once, never after its expiry."
    ),
    Channel.REPLY: _Entry(messages.Reply, 1, retained=False, summary="The answer to a command."),
    Channel.ECHO: _Entry(messages.Echo, 0, retained=False, summary="Only an answered echo is a link that is up."),
    Channel.UPLOAD: _Entry(uploads.UploadRequest, 1, retained=False, summary="May this sealed segment be sent?"),
    Channel.UPLOAD_TICKET: _Entry(
        uploads.UploadTicket, 1, retained=False, summary="Where and by what token, the receipt, or why not."
    ),
}
"""Every channel of the contract with its model and how it is sent."""

RESULTS: Final[dict[str, type[BaseModel]]] = {"still": StillReply}
"""What the `result` of a reply holds, for commands that give more than a few words."""


def document() -> dict[str, Any]:
    """The AsyncAPI 3 document, the kiosk's side: it sends what comes from the kiosk and receives the rest."""
    models: list[type[BaseModel]] = [entry.model for entry in CHANNELS.values()]
    models += [Row, *dict.fromkeys(EVENTS.values()), *RESULTS.values()]
    _, schemas = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Carrel kiosk and fleet",
            "version": str(messages.PROTOCOL),
            "description": "JSON in UTF-8 over MQTT 5 or 3.1.1. Unknown fields are ignored. "
            f"Payloads over {MAX_PAYLOAD_BYTES} bytes are refused.",
        },
        "defaultContentType": "application/json",
        "channels": {_key(channel): _channel(channel) for channel in CHANNELS},
        "operations": {
            f"{action}-{_key(channel)}": {
                "action": action,
                "channel": {"$ref": f"#/channels/{_key(channel)}"},
                "summary": CHANNELS[channel].summary,
                "bindings": {"mqtt": {"qos": CHANNELS[channel].qos, "retain": CHANNELS[channel].retained}},
            }
            for action, channels in (("send", FROM_KIOSK), ("receive", FROM_FLEET))
            for channel in channels
        },
        "components": {
            "messages": {
                _key(channel): {"payload": {"$ref": f"#/components/schemas/{entry.model.__name__}"}}
                for channel, entry in CHANNELS.items()
            },
            "schemas": schemas["$defs"],
        },
        "x-ledger-types": {
            name: {"$ref": f"#/components/schemas/{model.__name__}"} for name, model in sorted(EVENTS.items())
        },
        "x-command-results": {
            name: {"$ref": f"#/components/schemas/{model.__name__}"} for name, model in sorted(RESULTS.items())
        },
    }


def text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _key(channel: Channel) -> str:
    return channel.value.replace("/", "-")


def _channel(channel: Channel) -> dict[str, Any]:
    parameter = {"description": f"Matches {ID_PATTERN}"}
    return {
        "address": f"{ROOT}/{{campus}}/{{kiosk}}/{channel.value}",
        "parameters": {"campus": parameter, "kiosk": parameter},
        "messages": {_key(channel): {"$ref": f"#/components/messages/{_key(channel)}"}},
    }


if __name__ == "__main__":
    sys.stdout.write(text())
