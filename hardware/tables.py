"""kit.toml, as the programs that print it read it. The kiosk has a reader of its own, with types: device/kit.py."""

import tomllib
from pathlib import Path
from typing import Any, Final

KIT_FILE: Final = Path(__file__).parent / "kit.toml"


def kit() -> dict[str, Any]:
    """All of kit.toml."""
    return tomllib.loads(KIT_FILE.read_text(encoding="utf-8"))


def kit_table(name: str) -> dict[str, Any]:
    """One table of kit.toml."""
    return dict(kit()[name])
