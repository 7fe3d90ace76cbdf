"""The register's kiosks: which there are, and a roster taken over in one transaction."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any, Final

from sqlite_utils import Database

from provisioning.errors import RosterRefused
from provisioning.roster.device import Device
from provisioning.roster.planning import Held, Plan, plan
from provisioning.tokens import withdraw
from provisioning.transaction import writing

_FIELDS: Final = tuple(one.name for one in fields(Device))


@dataclass(frozen=True, slots=True)
class Numbered:
    """A kiosk in use with its running number, which never changes and is given to no other."""

    number: int
    device: Device


def held(db: Database) -> list[Held]:
    """All kiosks, those retired too, by id."""
    return [
        Held(_device(row), row["retired_at"] is not None) for row in db.table("kiosks").rows_where(order_by="kiosk")
    ]


def in_use(db: Database, campus: str | None = None) -> list[Numbered]:
    """The kiosks that are not retired, by id; of one campus or of all."""
    return [
        Numbered(row["number"], _device(row))
        for row in db.table("kiosks").rows_where(
            "retired_at is null and (:campus is null or campus = :campus)", {"campus": campus}, order_by="kiosk"
        )
    ]


def planned(db: Database, name: str, found: Mapping[int, Device]) -> Plan:
    """What the roster would change.

    Raises:
        RosterRefused: it gives away what a kiosk of another campus has, or takes one from there.
    """
    answer = plan(found, held(db))
    if isinstance(answer, Plan):
        return answer
    raise RosterRefused(name, answer)


def apply(db: Database, name: str, found: Mapping[int, Device], may_retire: int, now: datetime) -> Plan:
    """Take a roster over: all of it or nothing, and the plan is made in the same transaction.

    Args:
        db: the register's database.
        name: what errors call the roster.
        found: its kiosks by line.
        may_retire: how many kiosks the person expects to see retired; another number changes nothing.
        now: noted beside each change, aware.

    Raises:
        RosterRefused: as `planned`.
        RetiringRefused: the roster would retire another number of kiosks.
    """
    with writing(db):
        done = planned(db, name, found)
        if len(done.retire) != may_retire:
            raise RetiringRefused(name, done, may_retire)
        at = now.astimezone(UTC).isoformat(timespec="seconds")
        db.table("kiosks").insert_all(asdict(one) | {"retired_at": None} for one in done.create)
        for one in (*done.again, *(change.after for change in done.change)):
            _update(db, one)
        for one in done.retire:
            db.execute("update kiosks set retired_at = ? where kiosk = ?", [at, one.kiosk])
            withdraw(db, one.kiosk, at)
        db.table("kiosk_changes").insert_all(
            {"at": at, "action": action, "kiosk": kiosk, "what": json.dumps(what, ensure_ascii=False)}
            for action, kiosk, what in _told(done)
        )
    return done


class RetiringRefused(RosterRefused):
    """A roster would retire another number of kiosks than was said, as a roster of half a school does."""

    def __init__(self, name: str, done: Plan, said: int) -> None:
        super().__init__(name, [])
        few = ", ".join(one.kiosk for one in done.retire[:5]) + (", …" if len(done.retire) > 5 else "")
        told = (
            f"{name}: would retire {len(done.retire)} kiosks{f' ({few})' if few else ''}, and --retire says {said}; "
            f"nothing was changed. If that is meant, add --retire {len(done.retire)}"
        )
        self.args = (told,)


def _told(done: Plan) -> list[tuple[str, str, Any]]:
    return [
        *(("create", one.kiosk, asdict(one)) for one in done.create),
        *(("create again", one.kiosk, asdict(one)) for one in done.again),
        *(("change", one.after.kiosk, one.what) for one in done.change),
        *(("retire", one.kiosk, {}) for one in done.retire),
    ]


def _update(db: Database, one: Device) -> None:
    told = asdict(one)
    sets = ", ".join(f"{name} = :{name}" for name in _FIELDS if name != "kiosk")
    db.execute(f"update kiosks set {sets}, retired_at = null where kiosk = :kiosk", told)  # noqa: S608  # names of fields


def _device(row: Mapping[str, Any]) -> Device:
    return Device(**{name: row[name] for name in _FIELDS})
