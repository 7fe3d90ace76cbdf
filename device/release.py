"""Which release this is, and when it was built: no true clock shows less."""

from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final

VERSION: Final = version("carrel")
BUILT: Final = datetime(2026, 11, 1, tzinfo=UTC)
