"""The demo's bookings with `--record`: each kiosk has one open now, with consent, sent as a fleet sends its own."""

import asyncio
import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from device.kit import kit
from lab.simulated import Model
from wire.codec import encode
from wire.messages import Booking, Consent, Schedule
from wire.topics import Channel, Topic

_log = logging.getLogger(__name__)

PLANNED: Final = timedelta(minutes=45)
AGAIN_S: Final = 3_600.0
LATER: Final = timedelta(hours=1)
_STUDENT: Final = "s-0418"
_LATER_STUDENT: Final = "s-0502"
_FOX, _BOAT = (
    next(number for number, name in kit().cards.names.items() if name == one) for one in ("blue fox", "red boat")
)
_WITHIN_S: Final = 10.0


async def keep_bookings(models: Iterable[Model], broker_port: int) -> None:
    """Send every kiosk a booking that is open now, and again each hour, until cancelled."""
    kiosks = list(models)
    while True:
        await asyncio.to_thread(_send, kiosks, broker_port, datetime.now(UTC))
        await asyncio.sleep(AGAIN_S)


def schedule(model: Model, now: datetime) -> Schedule:
    """One booking from now on, of a student whose consent allows to record always, and a later one of another student.

    The first student holds the blue fox, the other the red boat: the lab can lay both on the desk.
    """
    first, later = (
        Booking(
            id=f"{model.id[:20]}-{start:%H%M}", start=start, planned_ms=PLANNED // timedelta(milliseconds=1),
            therapist="demo-therapist", students=(student,), record="always", consents=(Consent(student=student),),
        )
        for student, start in ((_STUDENT, now), (_LATER_STUDENT, now + LATER))
    )  # fmt: skip
    cards = {_FOX: _STUDENT, _BOAT: _LATER_STUDENT}
    return Schedule(revision=int(now.timestamp()), as_of=now, bookings=(first, later), cards=cards)


def _send(models: list[Model], broker_port: int, now: datetime) -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
    client.connect("127.0.0.1", broker_port)
    client.loop_start()
    try:
        for model in models:
            topic = str(Topic(model.campus, model.id, Channel.SCHEDULE))
            client.publish(topic, encode(schedule(model, now)), qos=1, retain=True).wait_for_publish(_WITHIN_S)
    finally:
        client.disconnect()
        client.loop_stop()
