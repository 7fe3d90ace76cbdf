"""Which room is meant: by the kiosk that stands there, the room's id, or its name, within the reader's campuses."""

import difflib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from fleet.access.roles import Principal
from fleet.roll import Roll
from fleet.store import rooms as store
from fleet.store.rooms import Room
from fleet.wishes import Unfit


@dataclass
class Places:
    """The rooms that a principal may book, those of kiosks that were never booked among them."""

    rooms: list[Room]
    new: set[str] = field(default_factory=set)
    """Ids of rooms that are not in the store yet."""
    _named: dict[str, list[Room]] = field(default_factory=dict)

    @classmethod
    def of(cls, connection: Connection, roll: Roll, principal: Principal, campus: str | None = None) -> "Places":
        """All rooms and kiosks that the principal sees, or of one campus of those."""
        known = store.rooms_of(connection)
        taken = {one.id for one in known}
        held = [replace(one, name=name_of(one, roll)) for one in known if principal.sees(one.campus)]
        standing = {one.kiosk for one in held}
        fresh = []
        for entry in roll.entries():
            if principal.sees(entry.campus) and entry.id not in standing and entry.id not in taken:
                room = Room(entry.id, entry.campus, None, entry.id)
                fresh.append(replace(room, name=name_of(room, roll)))
        found = [one for one in (*held, *fresh) if campus in {None, one.campus}]
        return cls(found, {one.id for one in fresh})

    def find(self, text: str) -> Room:
        """The room that `text` names; raises `Unfit` when there is none, or more than one."""
        if not self._named:
            for room in self.rooms:
                for name in {_plain(one) for one in (room.kiosk, room.id, room.name) if one}:
                    self._named.setdefault(name, []).append(room)
        found = [one for one in self.rooms_by(text) if text in {one.kiosk, one.id}] or self.rooms_by(text)
        if len(found) == 1:
            return found[0]
        if found:
            where = ", ".join(f"{one.kiosk or one.id} at {one.campus}" for one in found)
            raise Unfit(f"{text!r} can be one of {len(found)} rooms: write the kiosk's id ({where})")
        raise Unfit(self._unknown(text))

    def rooms_by(self, text: str) -> list[Room]:
        """Rooms of that name or id, or with that kiosk."""
        return self._named.get(_plain(text), [])

    def keep(self, connection: Connection, used: Iterable[Room], at: datetime) -> None:
        """Let the store have the rooms that are used for the first time."""
        fresh = {one.id: one for one in used if one.id in self.new}.values()
        store.add(connection, (replace(one, name=None) for one in fresh), at)  # its kiosk may call it otherwise later

    def by_id(self) -> dict[str, Room]:
        """The rooms by their ids."""
        return {room.id: room for room in self.rooms}

    def _unknown(self, text: str) -> str:
        told = f"no kiosk or room {ascii(text) if not text.isascii() else repr(text)} is known here"
        if not text.isascii():
            return f"{told}: some of its characters only look like letters, digits or a dash"
        names = defaultdict(list)
        for room in self.rooms:
            for name in (room.kiosk, room.name):
                if name:
                    names[_plain(name)].append(name)
        near = difflib.get_close_matches(_plain(text), names, n=1, cutoff=0.75)
        return f"{told}; is {names[near[0]][0]!r} meant?" if near else told


def name_of(room: Room, roll: Roll) -> str:
    """What people call a room: as somebody named it, else as its kiosk says, else its id."""
    entry = roll.get(room.kiosk) if room.kiosk else None
    return room.name or (entry.readiness.room if entry and entry.readiness else None) or room.id


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
