"""Every incident that is not closed, in memory, so that neither a look nor a board asks the database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from fleet.incidents import Event, Incident, Key, State
from fleet.notices import Draft, Kind, Route, key_of


@dataclass(slots=True)
class Page:
    """What one look writes: to be kept in one transaction, and to count only then."""

    saved: dict[str, tuple[Incident, list[Event]]] = field(default_factory=dict)
    drafts: list[tuple[Draft, Incident]] = field(default_factory=list)

    def put(self, incident: Incident, events: Iterable[Event]) -> None:
        """An incident as it is from now on, and what happened to it."""
        _, told = self.saved.get(incident.id, (incident, []))
        self.saved[incident.id] = (incident, [*told, *events])

    def parts(self, size: int) -> list["Page"]:
        """The same in pages of at most so many incidents, each whole with its notices; at least one."""
        ids = list(dict.fromkeys([*self.saved, *(one.id for _, one in self.drafts)]))
        found = []
        for start in range(0, max(1, len(ids)), size):
            wanted = set(ids[start : start + size])
            saved = {id_: one for id_, one in self.saved.items() if id_ in wanted}
            found.append(Page(saved, [(draft, one) for draft, one in self.drafts if one.id in wanted]))
        return found

    @property
    def kiosks(self) -> set[str]:
        """Those to whom something happened."""
        return {one.kiosk for one, events in self.saved.values() if events} | {one.kiosk for _, one in self.drafts}


class Book:
    """Incidents by kiosk and key, and which notices were made of them. One writer at a time."""

    def __init__(
        self, incidents: Iterable[Incident] = (), told: Mapping[str, Mapping[str, datetime]] | None = None
    ) -> None:
        self._by_kiosk: dict[str, dict[Key, Incident]] = {}
        self._keys: dict[str, tuple[str, Key]] = {}
        self._told = {id_: dict(keys) for id_, keys in (told or {}).items()}
        self.owing: set[str] = set()
        """Resolved ones of which somebody who was told may have to hear that it is over."""
        for one in incidents:
            self._put(one)

    def of(self, kiosk: str) -> dict[Key, Incident]:
        """A kiosk's incidents; not to be changed."""
        return self._by_kiosk.get(kiosk, {})

    def find(self, id_: str) -> Incident | None:
        """One by its id; None when it is closed, or there is none."""
        where = self._keys.get(id_)
        return None if where is None else self._by_kiosk[where[0]][where[1]]

    def told(self, id_: str) -> Mapping[str, datetime]:
        """When each notice of an incident was made, by its key."""
        return self._told.get(id_, {})

    def living(self) -> list[Incident]:
        """All of them."""
        return [one for of_kiosk in list(self._by_kiosk.values()) for one in list(of_kiosk.values())]

    def open_kiosks(self) -> set[str]:
        """Kiosks with an open incident."""
        return {
            kiosk
            for kiosk, of_kiosk in self._by_kiosk.items()
            if any(one.state is State.OPEN for one in of_kiosk.values())
        }

    def suppressed(self, kiosk: str, now: datetime) -> frozenset[Key]:
        """The signals of a kiosk that are out of its verdict now."""
        found = self._by_kiosk.get(kiosk)
        if not found:
            return frozenset()
        return frozenset(key for key, one in list(found.items()) if one.is_suppressed(now))

    def apply(self, page: Page, now: datetime) -> None:
        """It was kept: from now on it is so."""
        for incident, _ in page.saved.values():
            self._put(incident)
        for draft, incident in page.drafts:
            self._told.setdefault(incident.id, {})[draft.key] = now

    def settle_debts(self, routes: Iterable[Route]) -> None:
        """Forget those resolved ones of which nobody has to hear any more."""
        for id_ in list(self.owing):
            incident = self.find(id_)
            if incident is None or incident.state is not State.RESOLVED or not self._owes(incident, routes):
                self.owing.discard(id_)

    def _owes(self, incident: Incident, routes: Iterable[Route]) -> bool:
        told = self.told(incident.id)
        return any(
            key_of(incident, one, Kind.OPENED) in told and key_of(incident, one, Kind.RESOLVED) not in told
            for one in routes
        )

    def _put(self, incident: Incident) -> None:
        if incident.state is State.CLOSED:
            if self._keys.pop(incident.id, None) is not None:
                kept = {key: one for key, one in self._by_kiosk[incident.kiosk].items() if one.id != incident.id}
                self._by_kiosk[incident.kiosk] = kept
            self._told.pop(incident.id, None)
            return
        self._by_kiosk[incident.kiosk] = self._by_kiosk.get(incident.kiosk, {}) | {incident.key: incident}
        self._keys[incident.id] = (incident.kiosk, incident.key)
        if incident.state is State.RESOLVED:
            self.owing.add(incident.id)
