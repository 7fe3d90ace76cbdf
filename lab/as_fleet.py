"""What the fleet would say of a schedule and of wished software, said by the lab on the demo's own broker, retained."""

from datetime import datetime, timedelta
from typing import Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from lab.causes import Cause
from wire.codec import WireModel, encode
from wire.messages import Config
from wire.schedule import Booking, Schedule
from wire.topics import Channel, Topic

_WITHIN_S: Final = 5.0
_NEXT_RELEASE: Final = "9.9.9"


def said_by_fleet(cause: Cause, *, on: bool, now: datetime) -> WireModel:
    """The message that makes a cause true, or false again."""
    revision = int(now.timestamp())
    if cause is Cause.RELEASE_WAITS:
        return Config(revision=revision, version=_NEXT_RELEASE if on else None)
    if cause is Cause.OLD_SCHEDULE and on:
        return Schedule(revision=revision, as_of=now - timedelta(hours=25))
    late = Booking(
        id=f"waits-{revision}", start=now - timedelta(minutes=4), planned_ms=45 * 60_000, therapist="demo-therapist"
    )
    return Schedule(revision=revision, as_of=now, bookings=(late,) if on else ())


def say(broker_port: int, campus: str, kiosk: str, message: WireModel) -> None:
    """Publish it to a kiosk, retained, as the fleet does; raises OSError when the broker does not take it."""
    channel = Channel.CONFIG if isinstance(message, Config) else Channel.SCHEDULE
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
    client.connect("127.0.0.1", broker_port)
    client.loop_start()
    try:
        told = client.publish(str(Topic(campus, kiosk, channel)), encode(message), qos=1, retain=True)
        told.wait_for_publish(_WITHIN_S)
        if not told.is_published():
            raise OSError("the broker did not take the message")
    finally:
        client.disconnect()
        client.loop_stop()
