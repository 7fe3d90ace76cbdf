"""A register with a campus, and `carrel-provision` as it is typed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from provisioning.cli import main

Provision = Callable[..., int]


@pytest.fixture
def provision(tmp_path: Path) -> Provision:
    """`carrel-provision` on a register of its own, in which there are the campuses lincoln and grant."""
    register = str(tmp_path / "register.db")

    def run(*arguments: str | Path) -> int:
        return main([*map(str, arguments), "--register", register])

    run("campus", "init", "lincoln", "--name", "Lincoln Elementary", "--time-zone", "America/Chicago")
    run("campus", "init", "grant", "--name", "Grant Middle", "--time-zone", "America/Denver")
    return run
