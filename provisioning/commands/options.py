"""Options that several subcommands have."""

import argparse
from pathlib import Path


def register_option(command: argparse.ArgumentParser) -> None:
    """Which file the register is."""
    command.add_argument("--register", type=Path, default=Path("register.db"), help="the register's file (register.db)")
