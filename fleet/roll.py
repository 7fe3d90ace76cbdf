"""The roll: what was last heard of every kiosk, in memory, so that a board asks no database.

One thread, the ingest, calls the roll to say what happened; every other thread only reads. Each entry is frozen and
replaced as a whole, so a reader sees one moment of a kiosk.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from fleet import presence as fold
from fleet.clock import Instant
from fleet.presence import Presence, Reach
from wire.messages import Presence as PresenceMessage
from wire.messages import PresenceState, Readiness

MOST_KIOSKS: Final = 100_000
"""A broker that lets anyone publish must not fill our memory."""


class Entry(NamedTuple):
    """One kiosk, as last heard. A tuple, because it is replaced with every message."""

    id: str
    campus: str
    first_seen: Instant
    presence: Presence
    boot: str | None = None
    version: str | None = None
    epoch: str | None = None
    through: int = 0
    readiness: Readiness | None = None
    readiness_at: Instant | None = None
    """None for one that the broker replayed: nobody knows how old it is."""
    health: dict[str, Any] | None = None
    health_at: Instant | None = None


class Roll:
    """Every kiosk by its id."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries = {entry.id: entry for entry in entries}
        self._told: set[str] = set()
        self._heard: set[str] = set()
        self.has_new = False
        """Whether a kiosk waits to be kept for the first time; nothing of it can be kept before."""

    def get(self, kiosk: str) -> Entry | None:
        """One kiosk, or None."""
        return self._entries.get(kiosk)

    def entries(self) -> list[Entry]:
        """All kiosks, in no order."""
        return list(self._entries.values())

    def admits(self, campus: str, kiosk: str) -> bool:
        """Whether a message of this kiosk may be taken: its id belongs to no other campus, and there is room."""
        entry = self._entries.get(kiosk)
        if entry is None:
            return len(self._entries) < MOST_KIOSKS
        return entry.campus == campus

    def heard(self, campus: str, kiosk: str, now: Instant, *, live: bool) -> bool:
        """A message came; a `live` one is a sign of life, one replayed by the broker only makes the kiosk known.

        Returns:
            Whether the kiosk's presence turned by it.
        """
        entry = self._entries.get(kiosk)
        if entry is None:
            self.has_new = True
            entry = Entry(kiosk, campus, now, Presence(listening=now))
            self._put(entry)
        if not live or (entry.presence.heard is now and entry.presence.dead_since is None):  # one batch is one sign
            return False
        was_online = entry.presence.reach(now) is Reach.ONLINE
        self._entries[kiosk] = entry._replace(presence=fold.sign(entry.presence, now))
        self._heard.add(kiosk)
        return not was_online

    def presence(self, kiosk: str, message: PresenceMessage, now: Instant, *, live: bool) -> None:
        """A birth, a planned death or a will."""
        entry = self._entries[kiosk]
        before = entry.presence
        if message.state is PresenceState.OFFLINE:
            after = fold.died(before, message.birth, retained=not live, now=now)
            self._put(entry._replace(presence=after))
            return
        after = fold.born(before, message.birth, message.epoch, retained=not live, now=now)
        if after.birth != message.birth:  # an old one
            self._put(entry._replace(presence=after))
            return
        epoch = message.epoch or entry.epoch
        through = entry.through if epoch == entry.epoch else 0
        told = entry._replace(presence=after, boot=message.boot, version=message.version, epoch=epoch, through=through)
        self._put(told)

    def readiness(self, kiosk: str, readiness: Readiness, now: Instant, *, live: bool) -> None:
        """The kiosk's verdict; a replayed one that is already known changes nothing."""
        entry = self._entries[kiosk]
        if live:
            self._put(entry._replace(readiness=readiness, readiness_at=now))
        elif entry.readiness is None or entry.readiness.at < readiness.at:
            self._put(entry._replace(readiness=readiness, readiness_at=None))

    def health(self, kiosk: str, health: dict[str, Any], now: Instant) -> None:
        """The kiosk's vitals."""
        self._put(self._entries[kiosk]._replace(health=health, health_at=now))

    def ledger(self, kiosk: str, epoch: str, through: int, *, new: bool) -> None:
        """Rows of `epoch` were committed; a `new` epoch is the kiosk's current one from now on."""
        entry = self._entries[kiosk]
        if entry.epoch == epoch:
            self._entries[kiosk] = entry._replace(through=through)  # the store has this elsewhere
        elif new or entry.epoch is None:
            self._put(entry._replace(epoch=epoch, through=through))

    @property
    def has_unsaved(self) -> bool:
        """Whether anything changed since `take_unsaved`."""
        return bool(self._told or self._heard)

    def take_unsaved(self) -> "Unsaved":
        """What changed since the last call."""
        unsaved = Unsaved(
            told=[self._entries[kiosk] for kiosk in self._told],
            heard=[self._entries[kiosk] for kiosk in self._heard - self._told],
        )
        self._told, self._heard, self.has_new = set(), set(), False
        return unsaved

    def give_back(self, unsaved: "Unsaved") -> None:
        """These could not be saved after all."""
        self._told.update(entry.id for entry in unsaved.told)
        self._heard.update(entry.id for entry in unsaved.heard)
        self.has_new = self.has_new or bool(unsaved.told)

    def _put(self, entry: Entry) -> None:
        self._entries[entry.id] = entry
        self._told.add(entry.id)


@dataclass(frozen=True, slots=True)
class Unsaved:
    """What is newer in memory than in the store."""

    told: list[Entry]
    heard: list[Entry]
    """Of these nothing but the time of the last sign is new."""
