"""From messages to what is known now (the roll) and what has to be kept (`Heard`)."""

import logging
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from fleet.clock import Instant
from fleet.incoming import Parcel, Raw, Reason, Said, Unusable, understood
from fleet.metrics import Metrics
from fleet.roll import Roll
from wire.messages import Echo, Health, Presence, Readiness, Reply
from wire.topics import Channel, Topic
from wire.uploads import UploadRequest

_log = logging.getLogger(__name__)

SAMPLE_EVERY_S: Final = 60.0
MOST_WAITING_BYTES: Final = 64 * 1024 * 1024
"""Rows and replies kept while the store is down; kiosks send again what is dropped."""
_MOST_STREAKS: Final = 1_000


@dataclass(slots=True)
class Heard:
    """What waits to be kept and answered, in order."""

    parcels: list[Parcel] = field(default_factory=list)
    replies: list[tuple[str, Reply]] = field(default_factory=list)
    samples: list[tuple[str, datetime, dict[str, Any]]] = field(default_factory=list)
    echoes: list[tuple[Topic, Echo]] = field(default_factory=list)
    uploads: list[tuple[Topic, UploadRequest]] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    """Kiosks of which more than the age changed."""
    waiting_bytes: int = 0

    @property
    def has_facts(self) -> bool:
        """Whether something waits to be kept."""
        return bool(self.parcels or self.replies or self.samples)

    def make_room(self, size_bytes: int) -> None:
        """Let a message of this size wait; raises `Unusable` when enough waits already."""
        if self.waiting_bytes + size_bytes > MOST_WAITING_BYTES:
            raise Unusable(Reason.STORE, "the store is down and enough waits for it")
        self.waiting_bytes += size_bytes

    def kept(self) -> None:
        """All of it is committed."""
        self.parcels, self.replies, self.samples, self.waiting_bytes = [], [], [], 0


class Drops:
    """Counts what is dropped, and says so once per streak of a topic."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._streaks: set[str] = set()

    def drop(self, topic: str, reason: Reason, why: str, number: int = 1) -> None:
        """Count messages that are not used."""
        self._metrics.dropped.labels(reason.value).inc(number)
        known = topic in self._streaks
        _log.log(logging.DEBUG if known else logging.WARNING, "dropped from %.120r: %s", topic, why)
        if len(self._streaks) >= _MOST_STREAKS:
            self._streaks.clear()
        self._streaks.add(topic)

    def good(self, topic: str) -> None:
        """A good message ends the topic's streak."""
        if self._streaks and topic in self._streaks:
            self._streaks.remove(topic)
            _log.info("%s is good again", topic)


class Hearing:
    """Used by the ingest's thread alone."""

    def __init__(self, roll: Roll, metrics: Metrics) -> None:
        self._roll, self._metrics = roll, metrics
        self._sampled_s: dict[str, float] = {}
        self.drops = Drops(metrics)

    def hear(self, raws: list[Raw], now: Instant, heard: Heard) -> None:
        """Take in `raws`, heard at `now`; what has to be kept is added to `heard`."""
        tally: Counter[Channel] = Counter()
        for raw in raws:
            try:
                topic, said = self._admitted(raw)
                self._take(topic, said, raw, now, heard)
            except Unusable as error:
                self.drops.drop(raw.topic, error.reason, str(error))
            else:
                self.drops.good(raw.topic)
                tally[topic.channel] += 1
        for channel, number in tally.items():
            self._metrics.messages.labels(channel.value).inc(number)

    def _admitted(self, raw: Raw) -> tuple[Topic, Said]:
        topic, said = understood(raw)
        if not self._roll.admits(topic.campus, topic.kiosk):
            raise Unusable(Reason.FOREIGN, "the kiosk's id belongs to another campus")
        return topic, said

    def _take(self, topic: Topic, said: Said, raw: Raw, now: Instant, heard: Heard) -> None:
        if _says_nothing(raw, said):
            return
        kiosk, live = topic.kiosk, not raw.retained
        if isinstance(said, Parcel | Reply):
            heard.make_room(len(raw.payload))
        is_sign = live and topic.channel is not Channel.PRESENCE
        turned = self._roll.heard(topic.campus, kiosk, now, live=is_sign)
        if turned or topic.channel is not Channel.ECHO:
            heard.changed.add(kiosk)
        match said:
            case Echo():
                heard.echoes.append((topic, said))
            case Presence():
                self._roll.presence(kiosk, said, now, live=live)
            case Readiness():
                self._roll.readiness(kiosk, said, now, live=live)
            case Health():
                self._health(kiosk, said, now, heard)
            case _:
                _to_keep(topic, said, heard)

    def _health(self, kiosk: str, health: Health, now: Instant, heard: Heard) -> None:
        vitals = health.model_dump(mode="json")
        self._roll.health(kiosk, vitals, now)
        if now.mono_s - self._sampled_s.get(kiosk, -SAMPLE_EVERY_S) >= SAMPLE_EVERY_S:
            self._sampled_s[kiosk] = now.mono_s
            heard.samples.append((kiosk, now.at, vitals))


def _to_keep(topic: Topic, said: Reply | Parcel | UploadRequest, heard: Heard) -> None:
    match said:
        case Reply():
            heard.replies.append((topic.kiosk, said))
        case Parcel():
            heard.parcels.append(said)
        case UploadRequest():
            heard.uploads.append((topic, said))


def _says_nothing(raw: Raw, said: Said) -> bool:
    """An answer of ours over MQTT 3.1.1 or of another fleet process, or a moment of the past replayed by the broker."""
    return (isinstance(said, Echo) and said.sender == "fleet") or (
        raw.retained and isinstance(said, Echo | Health | UploadRequest)
    )
