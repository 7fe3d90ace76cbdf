"""The demo's people: a sign-in link for each role and one token, made anew on each run."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class People:
    """Secrets of this run only."""

    api_token: str
    links: dict[str, str]


def invite(config: Path) -> People:
    """Prepare the fleet's database and let one person of each role in."""
    raise NotImplementedError(config)
