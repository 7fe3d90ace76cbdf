"""The demo's people: a sign-in link for each role and one token, made anew on each run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleet.access.roles import Role
from fleet.access.secrets import Kind, Person, add_person, issue
from fleet.clock import Instant
from fleet.settings import FleetSettings
from fleet.store.engine import Database
from fleet.store.migrate import migrate
from wire.settings_file import read_settings

ROLES: Final = (Role.IT, Role.THERAPIST, Role.AIDE, Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class People:
    """Secrets of this run only."""

    api_token: str
    links: dict[str, str]


def invite(config: Path, now: Instant) -> People:
    """Prepare the database of the fleet at `config`, and let one person of each role in."""
    settings = read_settings(FleetSettings, config)
    database = Database(settings.database_url)
    try:
        migrate(database)
        for role in (*ROLES, Role.PORTAL):
            add_person(database, Person(f"demo-{role}", role, None), now)
        links = {role.value: issue(database, Kind.LINK, f"demo-{role}", now) for role in ROLES}
        return People(issue(database, Kind.TOKEN, f"demo-{Role.PORTAL}", now), links)
    finally:
        database.close()
