"""The roll: what was last heard of every kiosk, in memory, so that a board asks no database.

One thread, the ingest, calls the roll to say what happened; every other thread only reads. Each entry is frozen and
replaced as a whole, so a reader sees one moment of a kiosk.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from fleet import presence as fold
from fleet.clock import Instant
from fleet.presence import Presence
from wire.messages import Presence as PresenceMessage
from wire.messages import PresenceState, Readiness

MOST_KIOSKS: Final = 100_000
"""A broker that lets anyone publish must not fill our memory."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One kiosk, as last heard."""

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
        self._unsaved: set[str] = set()

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

    def heard(self, campus: str, kiosk: str, now: Instant, *, live: bool) -> None:
        """A message came; a `live` one is a sign of life, one replayed by the broker only makes the kiosk known."""
        entry = self._entries.get(kiosk)
        if entry is None:
            entry = Entry(kiosk, campus, now, Presence(listening=now))
        elif not live:
            return
        self._put(replace(entry, presence=fold.sign(entry.presence, now)) if live else entry)

    def presence(self, kiosk: str, message: PresenceMessage, now: Instant, *, live: bool) -> None:
        """A birth, a planned death or a will."""
        entry = self._entries[kiosk]
        before = entry.presence
        if message.state is PresenceState.OFFLINE:
            after = fold.died(before, message.birth, retained=not live, now=now)
            self._put(replace(entry, presence=after))
            return
        after = fold.born(before, message.birth, message.epoch, retained=not live, now=now)
        if after.birth != message.birth:  # an old one
            self._put(replace(entry, presence=after))
            return
        epoch = message.epoch or entry.epoch
        through = entry.through if epoch == entry.epoch else 0
        told = replace(entry, presence=after, boot=message.boot, version=message.version, epoch=epoch, through=through)
        self._put(told)

    def readiness(self, kiosk: str, readiness: Readiness, now: Instant, *, live: bool) -> None:
        """The kiosk's verdict; a replayed one that is already known changes nothing."""
        entry = self._entries[kiosk]
        if live:
            self._put(replace(entry, readiness=readiness, readiness_at=now))
        elif entry.readiness is None or entry.readiness.at < readiness.at:
            self._put(replace(entry, readiness=readiness, readiness_at=None))

    def health(self, kiosk: str, health: dict[str, Any], now: Instant) -> None:
        """The kiosk's vitals."""
        self._put(replace(self._entries[kiosk], health=health, health_at=now))

    def ledger(self, kiosk: str, epoch: str, through: int, *, new: bool) -> None:
        """Rows of `epoch` were committed; a `new` epoch is the kiosk's current one from now on."""
        entry = self._entries[kiosk]
        if new or entry.epoch is None or entry.epoch == epoch:
            self._put(replace(entry, epoch=epoch, through=through))

    def take_unsaved(self) -> list[Entry]:
        """The entries that changed since the last call."""
        taken, self._unsaved = self._unsaved, set()
        return [self._entries[kiosk] for kiosk in taken]

    def give_back(self, entries: Iterable[Entry]) -> None:
        """These could not be saved after all."""
        self._unsaved.update(entry.id for entry in entries)

    def _put(self, entry: Entry) -> None:
        self._entries[entry.id] = entry
        self._unsaved.add(entry.id)
