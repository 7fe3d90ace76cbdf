"""The demo day's fleet: the real one, on the day's clock.

python -m lab.fleet --config fleet.toml --clock FILE
"""

import argparse
import logging
import sys
from pathlib import Path

from fleet.errors import FleetError
from fleet.service import serve
from fleet.settings import load
from lab.day_clock import DayClock
from wire.settings_file import SettingsError


def main() -> int:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="lab.fleet")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--clock", type=Path, required=True, help="the file of the day's clock")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        serve(load(args.config), DayClock(args.clock))
    except (SettingsError, FleetError) as error:
        sys.stderr.write(f"lab.fleet: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
